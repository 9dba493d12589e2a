/** What a sealed body is and where it belongs (the seal's associated data): a row moved elsewhere does not open. */

export const sampleName = (series: number, position: number, part: number): string =>
  `careloop/sample/1/${series}/${position}/${part}`

export const chunkName = (
  series: number,
  tier: number,
  fromMs: number,
  part: number,
  toMs: number,
  n: number,
): string => `careloop/chunk/1/${series}/${tier}/${fromMs}/${part}/${toMs}/${n}`
