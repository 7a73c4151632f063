/** The record of a search for the strongest hops, `hops.json`. */

export interface HopRecord {
  readonly sender: string;
  readonly path: string;
  /** mean over pairs of the metric with the path patched − without, and its 95 % interval (null for one pair) */
  readonly effect: number;
  readonly low: number | null;
  readonly high: number | null;
  /** the effect as a share of what the whole prompt changes; null where it changes nothing */
  readonly share: number | null;
  readonly upstream: readonly HopRecord[];
}

export interface HopsRecord {
  readonly schemaVersion: 1;
  readonly kind: 'strongest-hops';
  readonly versions: { readonly thevenin: string; readonly node: string; readonly runtime: string };
  readonly model: { readonly name: string; readonly weightsSha256: string };
  readonly task: { readonly name: string; readonly sha256: string; readonly metric: string; readonly pairs: number };
  readonly asked: {
    readonly to: string;
    readonly depth: number;
    readonly width: number;
    readonly mlps: string;
    readonly direction: 'noising' | 'denoising';
  };
  /** mean metric of the prompts without intervention */
  readonly clean: number;
  readonly corrupt: number;
  readonly hops: readonly HopRecord[];
  readonly timings: { readonly startedAt: string; readonly totalSeconds: number };
}
