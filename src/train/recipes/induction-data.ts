/** Random tokens that begin again, at an offset that position alone does not tell. */
import type { Random } from '../../task/random.js';

export const SEQUENCE = 64;
const START = { from: 0, to: 16 } as const;
const BLOCK = { from: 8, to: 36 } as const;

export const noise = (random: Random, count: number, vocabulary: number): number[] =>
  Array.from({ length: count }, () => random.between(0, vocabulary - 1));

const distinctNoise = (random: Random, count: number, vocabulary: number): number[] => {
  const tokens = new Set<number>();
  while (tokens.size < count) tokens.add(random.between(0, vocabulary - 1));
  return [...tokens];
};

/**
 * Some noise (in half of the sequences), then a block of random tokens over and over: where it starts and how long it is vary.
 * SEQUENCE tokens in all. In half of the sequences no token comes twice by chance, so that a token seen again mostly says that
 * the block has begun again.
 */
export function repeatedSequence(random: Random, vocabulary: number): number[] {
  const before = Math.max(START.from, random.between(-START.to, START.to));
  const length = random.between(BLOCK.from, BLOCK.to);
  const draw = random.between(0, 1) === 0 ? noise : distinctNoise;
  const once = draw(random, before + length, vocabulary);
  return Array.from({ length: SEQUENCE }, (_, i) => once[i < before ? i : before + ((i - before) % length)] as number);
}
