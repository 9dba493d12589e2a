export { settledFacts } from './settled-facts.ts'
export { type TestDatabase, testDatabase } from './test-database.ts'
export { type TestEngine, testEngine } from './test-engine.ts'
export { type TestGround, testGround } from './test-ground.ts'
