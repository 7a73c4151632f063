import type { Keeping } from '../types.js';

const NOTHING_KEPT: Keeping = { bytes: 0, sizeOf: (bytes) => bytes };

/** Bytes that tensors take, with what is kept of disposed ones for new ones: now, and at most so far. */
export class Meter {
  private held = 0;
  private highest = 0;
  private kept = 0;
  /** how many of each size are kept, the least recently used size first */
  private readonly free = new Map<number, number>();

  constructor(private readonly keeping: Keeping = NOTHING_KEPT) {}

  get peak(): number {
    return this.highest;
  }

  take(bytes: number): void {
    const size = this.keeping.sizeOf(bytes);
    const known = this.free.get(size) ?? 0;
    this.held += size;
    if (known > 0) {
      this.free.set(size, known - 1);
      this.kept -= size;
    }
    this.reach(0);
  }

  give(bytes: number): void {
    const size = this.keeping.sizeOf(bytes);
    const known = this.free.get(size) ?? 0;
    this.held -= size;
    this.free.delete(size);
    this.free.set(size, known + 1);
    this.kept += size;
    while (this.kept > this.keeping.bytes) this.evict();
  }

  /** So much more than now is held for a moment. */
  reach(more: number): void {
    this.highest = Math.max(this.highest, this.held + this.kept + more);
  }

  private evict(): void {
    const [size, count] = this.free.entries().next().value as [number, number];
    if (count > 0) this.kept -= size;
    if (count > 1) this.free.set(size, count - 1);
    else this.free.delete(size);
  }
}

/** Memory that several tensors may share; it goes back when the last of them is disposed. */
export class Room {
  private owners = 0;

  constructor(
    private readonly meter: Meter,
    private readonly bytes: number,
  ) {
    meter.take(bytes);
  }

  retain(): void {
    this.owners++;
  }

  release(): void {
    this.owners--;
    if (this.owners === 0) this.meter.give(this.bytes);
  }
}
