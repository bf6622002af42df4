/** A fill, and whether the operator released it although it was short, so that the customer may withdraw it. */
type Released = {
  pay: bigint;
  receive: bigint;
  shortReleasedOn?: number | undefined;
  /** The amounts that were delivered and charged when the operator released the fill. Absent if an earlier version of the gateway released it. */
  shortReleased?: { pay: string; receive: string } | undefined;
};

/**
 * Returns whether the operator has released the fill as it is now. If the provider reports less, or charges more, than it did when the operator
 * judged the fill, the release no longer counts, and the customer must agree again.
 */
export const isShortReleased = ({ pay, receive, shortReleasedOn, shortReleased }: Released): boolean =>
  shortReleasedOn !== undefined && (!shortReleased || (receive >= BigInt(shortReleased.receive) && pay <= BigInt(shortReleased.pay)));
