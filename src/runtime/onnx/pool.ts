/**
 * Memory of disposed outputs, kept for the next ones. Fresh memory costs a page fault per 4 KiB at its first touch, which
 * for a layer's activations takes longer than much of the arithmetic that fills them.
 */

import type { Keeping } from '../types.js';

/** Smaller arrays are cheaper new. */
const POOLED_FROM_BYTES = 1 << 15;
const KEPT_BYTES = 256 * 2 ** 20;

/** Memory that several tensors may share; it goes back when the last of them is disposed. */
export class Block {
  private owners = 0;
  private exposed = false;

  constructor(
    readonly buffer: ArrayBuffer,
    private readonly pool: Pool | null,
  ) {}

  retain(): void {
    this.owners++;
  }

  /** Someone outside may hold a view from now on: the memory is left to the garbage collector. */
  expose(): void {
    this.exposed = true;
  }

  release(): void {
    this.owners--;
    if (this.owners === 0 && !this.exposed) this.pool?.give(this.buffer);
  }
}

/** How tensors' memory is kept, for who reckons with it. */
export const KEEPING: Keeping = {
  bytes: KEPT_BYTES,
  sizeOf: (bytes) => (bytes < POOLED_FROM_BYTES ? bytes : sizeClass(bytes)),
};

export class Pool {
  /** by size, the least recently used first */
  private readonly free = new Map<number, ArrayBuffer[]>();
  private bytes = 0;

  constructor(private readonly keptBytes = KEPT_BYTES) {}

  take(bytes: number): Block {
    if (bytes < POOLED_FROM_BYTES) return new Block(new ArrayBuffer(bytes), null);
    const size = sizeClass(bytes);
    const known = this.free.get(size)?.pop();
    if (known) this.bytes -= size;
    return new Block(known ?? new ArrayBuffer(size), this);
  }

  give(buffer: ArrayBuffer): void {
    const size = buffer.byteLength;
    const list = this.free.get(size) ?? [];
    list.push(buffer);
    this.free.delete(size);
    this.free.set(size, list);
    this.bytes += size;
    while (this.bytes > this.keptBytes) this.evict();
  }

  clear(): void {
    this.free.clear();
    this.bytes = 0;
  }

  private evict(): void {
    const [size, list] = this.free.entries().next().value as [number, ArrayBuffer[]];
    if (list.shift()) this.bytes -= size;
    if (list.length === 0) this.free.delete(size);
  }
}

/** Rounded up to an eighth of a power of two, so that slightly different sizes share. */
function sizeClass(bytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
