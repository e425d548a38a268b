/** So many packets with one label make it the flow's own. */
const steadyPackets = 2;

/**
 * The flow label of IPv6 (RFC 6437), which stays the same for a flow. Linux draws another one at every timeout of a retransmission, so that
 * the flow may take another path: a change tells of a timeout that the tap would not see otherwise.
 */
export class FlowLabel {
  #label = -1;
  #steady = 0;
  /** With the packet last seen, and for the first time in a while: who changes it with each packet means something else. */
  justChanged = false;

  seen(label: number): void {
    this.justChanged = label !== this.#label && this.#steady >= steadyPackets;
    this.#steady = label === this.#label ? this.#steady + 1 : 1;
    this.#label = label;
  }
}
