/** How long each level is kept, ms. */
export interface Retention {
  rawMs: number;
  minutesMs: number;
  hoursMs: number;
}
