import type { Tensor, Tensors } from '../../runtime/types.js';

/** Owns the tensors of one stretch of work and gives them all back at its end, except those taken out. */
export class Arena {
  private readonly owned = new Set<Tensor>();

  own<T extends Tensor | Tensors>(tensors: T): T {
    for (const tensor of isTensor(tensors) ? [tensors] : Object.values(tensors)) this.owned.add(tensor);
    return tensors;
  }

  /** The caller owns the tensor from now on. */
  release(tensor: Tensor): Tensor {
    this.owned.delete(tensor);
    return tensor;
  }

  /** Gives these back now. */
  free(...tensors: readonly (Tensor | undefined)[]): void {
    for (const tensor of tensors) if (tensor && this.owned.delete(tensor)) tensor.dispose();
  }

  dispose(): void {
    for (const tensor of this.owned) tensor.dispose();
    this.owned.clear();
  }
}

const isTensor = (x: Tensor | Tensors): x is Tensor => typeof (x as Tensor).read === 'function';

/** Runs `work` with an arena of its own, disposed whatever happens. */
export async function withArena<T>(work: (arena: Arena) => Promise<T>): Promise<T> {
  const arena = new Arena();
  try {
    return await work(arena);
  } finally {
    arena.dispose();
  }
}
