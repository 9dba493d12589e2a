// The library finds its algorithms through tsyringe, which refuses to load without this polyfill: import x509 from here only.
import 'reflect-metadata'

export * from '@peculiar/x509'
