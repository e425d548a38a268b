/**
 * Takes what one connection carries, in order. Direction 0 is from the client. Times are ms since the capture's first packet.
 */
export interface StreamSink {
  /** False as soon as the reader knows that there is nothing here for it: then nothing is put in order any longer. */
  readonly wanted: boolean;
  /**
   * Octets `[start, end)` follow; behind them `cut` octets of the segment were not captured.
   * @param deliverableMs when the order was complete
   * @param wireMs when these octets passed, earlier where they waited behind a hole
   */
  data(
    direction: 0 | 1,
    bytes: Buffer,
    start: number,
    end: number,
    cut: number,
    deliverableMs: number,
    wireMs: number,
    streamOffset: number,
  ): void;
  /** Octets that the capture does not have: find the next beginning again. */
  gap(direction: 0 | 1, octets: number): void;
  end(timeMs: number): void;
}
