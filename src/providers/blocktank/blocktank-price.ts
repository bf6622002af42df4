/** Maps prices, with and without an order, to offers. Pure. */
import type { Facts, Json, ProviderOffer } from '../../domain/offer.ts';
import { ProviderFault } from '../fault.ts';
import { warningsFor, type PayWith } from '../kit/channel-order.ts';
import type { Made } from './blocktank-order.ts';
import { blocksPerWeek, type Terms } from './blocktank-terms.ts';
import type { EstimateWire } from './blocktank-wire.ts';

/** What is stored with an offer, to order it and to follow its order. `order_id`: the order that was made for a firm price. */
export type Notes = {
  pay_with: PayWith;
  announce: boolean;
  order_id?: string;
  /** Whether that order came with an LNURL that the gateway would show. */ lnurl?: boolean;
};

/** Reads the notes that this adapter put into the offer. The gateway stores them unchanged. */
export const notesOf = (upstream: Json): Notes => {
  const kept = typeof upstream === 'object' && upstream !== null && !Array.isArray(upstream) ? upstream : {};
  const { pay_with, announce, order_id, lnurl } = kept;
  return {
    pay_with: pay_with === 'onchain' ? 'onchain' : 'lightning',
    announce: announce === true,
    ...(typeof order_id === 'string' ? { order_id } : {}),
    ...(lnurl === true ? { lnurl } : {}),
  };
};

/**
 * Returns the whole amount that the customer would pay. The `feeSat` of an order includes the customer's own balance. Whether that of an estimate
 * does is not documented: the parts of the estimate show it, and if it has no parts, the setting decides. Throws `malformed` if the amounts
 * contradict each other or are negative.
 */
export const payOf = ({ feeSat, networkFeeSat, serviceFeeSat }: EstimateWire, clientSats: bigint, includesClient: boolean): bigint => {
  const parts = networkFeeSat === undefined || serviceFeeSat === undefined ? undefined : networkFeeSat + serviceFeeSat;
  if ([feeSat, networkFeeSat, serviceFeeSat].some((amount) => amount !== undefined && amount < 0n)) throw contradicted();
  if (parts === undefined) {
    if (includesClient && feeSat < clientSats) throw contradicted();
    return includesClient ? feeSat : feeSat + clientSats;
  }
  if (feeSat === parts + clientSats) return feeSat;
  if (feeSat === parts) return feeSat + clientSats;
  throw contradicted();
};
const contradicted = (): ProviderFault => new ProviderFault('malformed', 'the amounts of the estimate contradict each other or are negative');

/** How the channel gets opened, and to which node the customer should connect first. */
export type Opening = { by: 'adapter' | 'wallet'; connectTo: string | undefined };

export const factsOf = ({ lspSats, weeks }: Terms, { by, connectTo }: Opening, channelExpiresOn?: number): Facts => ({
  inbound_sats: Number(lspSats),
  lease_blocks: weeks * blocksPerWeek,
  delivered_as: by === 'adapter' ? 'channel' : 'redemption',
  ...(connectTo === undefined ? {} : { connect_to: connectTo }),
  ...(channelExpiresOn === undefined ? {} : { channel_expires_on: new Date(channelExpiresOn).toISOString() }),
});

export const toEstimate = (pay: bigint, terms: Terms, notes: Notes, opening: Opening): ProviderOffer => ({
  pay,
  receive: terms.clientSats,
  fee: pay - terms.clientSats,
  binding: false,
  upstream: notes,
  facts: factsOf(terms, opening),
  requires: [],
  warnings: warningsFor(terms),
});

export const toFirmOffer = (made: Made, terms: Terms, notes: Notes, opening: Opening): ProviderOffer => ({
  pay: made.pay,
  receive: made.receive,
  fee: made.fee,
  binding: true,
  expiresOn: made.expiresOn,
  reservation: { upstreamOrderId: made.orderId, acceptUntil: made.expiresOn },
  secret: made.payTo,
  upstream: { ...notes, order_id: made.orderId, ...(made.isRedeemable ? { lnurl: true } : {}) } satisfies Notes,
  facts: factsOf(terms, opening, made.channelExpiresOn),
  requires: [],
  warnings: warningsFor(terms),
});
