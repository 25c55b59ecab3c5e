/** A capture file that a sink has finished: closed, under its final name. */
export interface FinishedFile {
  /** Relative to the sink's output folder. */
  readonly path: string;
  readonly bytes: number;
  readonly packets: number;
  /** The lanes whose packets it holds. */
  readonly lanes: readonly FinishedLane[];
}

/** What a finished file holds of one lane. */
export interface FinishedLane {
  readonly name: string;
  readonly packets: number;
  /** Packets that were dropped while the file grew, or since the lane's file before. */
  readonly dropped: number;
  /** Arrival of the first and last packet: seconds since the epoch and nanoseconds within the second. */
  readonly firstSeconds: number;
  readonly firstNanoseconds: number;
  readonly lastSeconds: number;
  readonly lastNanoseconds: number;
}
