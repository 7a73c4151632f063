/** What long work tells whoever watches: the terminal's bar, a log's lines, a page. */
export interface ProgressEvent {
  /** what is being done, e.g. `EAP-IG, 5 midpoints`; the same for all events of one piece of work */
  readonly stage: string;
  readonly done: number;
  /** 0: not known */
  readonly total: number;
  /** e.g. an estimate of what is still to come, or the figure found */
  readonly note?: string;
  /** what to know where the work is stopped now, e.g. how the next run goes on from here */
  readonly ifStopped?: string;
}

export type ProgressListener = (event: ProgressEvent) => void;
