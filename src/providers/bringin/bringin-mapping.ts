/** Maps Bringin's words to ours. Pure. */
import * as z from 'zod';
import { defined } from '../../domain/defined.ts';
import { customerLink } from '../../domain/links.ts';
import type { Json } from '../../domain/offer.ts';
import { isDelivered, matchSlackMs, saysMoney } from '../../domain/order-life.ts';
import { paymentDueBy } from '../../domain/record.ts';
import type { Stage } from '../../domain/order.ts';
import type { AccountState, ConnectionState, FollowedOrder, OrderEvidence, SellTransaction } from '../spec.ts';
import type { BringinSettings } from './bringin-settings.ts';
import type { ConnectReply, TransactionRow } from './bringin-wire.ts';

// ---- accounts ------------------------------------------------------------------------------------------------------------------------

export type AccountFacts = { status: AccountState['status']; key?: string; userId?: string; signupUrl?: string; mailSent?: boolean };

/**
 * Maps the answer to `connect`. Tells the known answers apart by their members, since older versions have no status. Returns undefined for an unknown
 * answer.
 */
export const accountFrom = (reply: ConnectReply, signupHosts: readonly string[], sandbox: boolean): AccountFacts | undefined => {
  const { apiKey, userId, signupUrl: signup } = reply;
  const status = reply.status?.toLowerCase();
  if (status === 'rejected') return { status };
  if (apiKey !== undefined) return { status: 'connected', key: apiKey, ...(userId === undefined ? {} : { userId }) };
  if (status === 'connected' || reply.isUserConnected === true) return undefined;
  if (reply.userRegistered === true || status === 'pending') return { status: 'pending', mailSent: true };
  if (reply.userRegistered !== false && status !== 'onboarding') return undefined;
  const signupUrl = signup === undefined ? undefined : customerLink(signup, signupHosts, sandbox);
  return { status: 'onboarding', mailSent: true, ...(signupUrl === undefined ? {} : { signupUrl }) };
};

/** Returns whether a string has one `@`, no spaces and a dot in the domain. Only Bringin can find out whether the mailbox exists. */
export const isEmail = (text: string): boolean => text.length <= 254 && /^[^\s@"<>]+@[^\s@."<>]+(\.[^\s@."<>]+)+$/.test(text);

// ---- transactions --------------------------------------------------------------------------------------------------------------------

export type Rail = 'sepa' | 'card';
/** What an offer of this adapter stores for placing and reading its order. */
export type OfferNotes = { rail: Rail; network: 'lightning' | 'onchain' };

export const readNotes = (upstream: Json): OfferNotes => {
  const notes = typeof upstream === 'object' && upstream !== null && !Array.isArray(upstream) ? upstream : {};
  return { rail: notes['rail'] === 'sepa' ? 'sepa' : 'card', network: notes['network'] === 'onchain' ? 'onchain' : 'lightning' };
};

const storedConnection = z.object({
  upstreamId: z.string(),
  name: z.string(),
  direction: z.enum(['sell', 'buy']),
  network: z.enum(['lightning', 'onchain']),
  status: z.enum(['initiating', 'code_required', 'active', 'failed', 'expired', 'inactive']),
  iban: z.string().min(12).optional().catch(undefined),
  lightningAddress: z.string().optional().catch(undefined),
  depositAddress: z.string().optional().catch(undefined),
});

/** Reads the stored connection of an order: the members that a new read of the connection needs. Undefined if they are not all there. */
export const connectionOf = (input: Json | undefined): ConnectionState | undefined => {
  const parsed = storedConnection.safeParse(input);
  return parsed.success ? { ...defined(parsed.data), upstream: {} } : undefined;
};

/** Reports money for FAILED: only a paid transaction can fail (INITIATED → PROCESSING (funds seen) → SUCCESSFUL | FAILED, or INITIATED → EXPIRED). */
const onlyOncePaid = (status: string): { moneySeen?: true } => (status.trim().toUpperCase() === 'FAILED' ? { moneySeen: true } : {});
const stages: { [status: string]: Stage } = { INITIATED: 'awaiting_payment', PROCESSING: 'paid', FAILED: 'failed', EXPIRED: 'expired' };

/**
 * Returns the stage; undefined for an unknown status, which counts as pending. A successful card top-up means euros on the card, so it is `finished`.
 * A successful conversion through a connection starts a SEPA transfer. Bringin does not report when the transfer has left, so the stage stays
 * `filled`.
 */
export const stageOf = (status: string, rail: Rail): Stage | undefined => {
  const word = status.trim().toUpperCase();
  if (word === 'SUCCESSFUL') return rail === 'sepa' ? 'filled' : 'finished';
  return Object.hasOwn(stages, word) ? stages[word] : undefined;
};

type Subtypes = Pick<BringinSettings, 'lightning_subtypes' | 'onchain_subtypes'>;

/** Maps a row. A row with an impossible amount is in `review`, because its status cannot be trusted either. */
export const toTransaction = (row: TransactionRow, subtypes: Subtypes): SellTransaction => {
  const kind = kindOf(row, subtypes);
  const stage = row.isOdd ? 'review' : stageOf(row.status, sameWord(row.subType, 'LN_ADDRESS') ? 'sepa' : 'card');
  return {
    upstreamId: row.orderId,
    rawStatus: row.status,
    kind,
    // Without a date, a row cannot be matched to an order by its amount.
    createdOn: row.createdAt ?? 0,
    ...(stage === undefined ? {} : { stage }),
    ...(row.sourceCurrency === 'BTC' && row.sourceAmount !== undefined ? { pay: row.sourceAmount } : {}),
    ...(row.destinationCurrency === 'EUR' && row.destinationAmount !== undefined ? { receive: row.destinationAmount } : {}),
  };
};

const kindOf = (row: TransactionRow, { lightning_subtypes: lightning, onchain_subtypes: onchain }: Subtypes): string => {
  if (row.sourceCurrency !== 'BTC' || row.destinationCurrency !== 'EUR') return (row.type ?? 'other').toLowerCase();
  if (row.subType === undefined) return 'sell';
  const isOneOf = (words: readonly string[]): boolean => words.some((word) => sameWord(row.subType, word));
  return isOneOf(lightning) ? 'sell_lightning' : isOneOf(onchain) ? 'sell_onchain' : 'sell';
};

/** Compares words without regard to case and separators: LN_ADDRESS, ln-address and lnAddress are equal. */
const sameWord = (a: string | undefined, b: string): boolean => a !== undefined && squeezed(a) === squeezed(b);
const squeezed = (word: string): string => word.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');

/** Maps a row to evidence about the order with the same Bringin id. */
export const evidenceOf = (row: TransactionRow, subtypes: Subtypes): OrderEvidence => {
  const { upstreamId, ...seen } = toTransaction(row, subtypes);
  const echo = row.destinationCurrency === undefined ? {} : { echo: { currency: row.destinationCurrency } };
  return { upstreamOrderId: upstreamId, ...amountsAndStage(seen), ...echo };
};

/** Returns whether a row may be a sale of bitcoin for euros. An account also lists what was bought, withdrawn or paid with euros. */
const maybeSale = ({ sourceCurrency, destinationCurrency }: TransactionRow): boolean => sourceCurrency !== 'EUR' && destinationCurrency !== 'BTC';

/**
 * Maps the matched payment to evidence about an order without a Bringin id. Only the amount and the time show that the payment is for this order
 * (`guessed`): two customers may have one Bringin user, and then both see the payment.
 */
export const matchedEvidence = ({ upstreamId, ...seen }: SellTransaction): OrderEvidence => ({
  ...amountsAndStage(seen),
  facts: { transaction_id: upstreamId },
  guessed: true,
});

const amountsAndStage = (seen: Omit<SellTransaction, 'upstreamId'>): Pick<OrderEvidence, 'rawStatus' | 'stage' | 'pay' | 'receive' | 'moneySeen'> => ({
  rawStatus: seen.rawStatus,
  ...onlyOncePaid(seen.rawStatus),
  // An impossible amount does not hide that money arrived.
  ...(seen.stage === 'review' && saysMoney({ stage: stageOf(seen.rawStatus, 'card') }) ? { moneySeen: true as const } : {}),
  ...(seen.stage === undefined ? {} : { stage: seen.stage }),
  ...(seen.pay === undefined ? {} : { pay: seen.pay }),
  // Bringin's amount in euros is 0 until the sats are converted.
  ...(seen.receive === undefined || (seen.receive === 0n && !isDelivered(seen.stage)) ? {} : { receive: seen.receive }),
});

/**
 * Returns whether a row's status says that nobody has paid it. A card top-up whose answer was lost leaves such a row behind for good, so the row says
 * nothing about another sale of the same amount.
 */
export const isUnpaid = (status: string): boolean => ['awaiting_payment', 'expired'].includes(stageOf(status, 'card') ?? '');

/**
 * Returns whether a row may belong to an order that this gateway placed but does not know. Anybody can make a row at a connection's address, so an
 * unpaid row there belongs to no order.
 */
export const maybeOrder = (row: TransactionRow): boolean => maybeSale(row) && !(sameWord(row.subType, 'LN_ADDRESS') && isUnpaid(row.status));

/** Maps a row's status to a stage, by the order's rail: a status that means `finished` for a card top-up means only `filled` for a bank payout. */
const asSale = ({ rail }: OfferNotes, { stage: told, ...row }: SellTransaction): SellTransaction => {
  const stage = told === 'review' ? told : stageOf(row.rawStatus, rail);
  return { ...row, ...(stage === undefined ? {} : { stage }) };
};

/**
 * Returns the payment that an earlier read recognised as this order's, whatever Bringin has corrected in it since. Returns `missing` if that payment
 * is not listed, and undefined if no payment was recognised. Earlier releases also stored the id of a row that nobody had paid: such a row is not a
 * payment.
 */
export const recognised = (order: FollowedOrder, rows: SellTransaction[]): SellTransaction | 'missing' | undefined => {
  const { transaction_id: id } = order.facts;
  if (id === undefined) return undefined;
  const own = rows.find(({ upstreamId }) => upstreamId === id);
  if (order.paymentSeen !== true && (own === undefined || isUnpaid(own.rawStatus))) return undefined;
  return own ? asSale(readNotes(order.upstream), own) : 'missing';
};

/**
 * Finds this order's payment by its amount: same network, same sats, dated while the order could be paid. Bringin's clock may differ from ours, so a
 * payment may be dated up to 15 minutes before the order, or up to 15 minutes after the latest arrival of a payment that was sent in time. In all
 * that time, no other order may take the amount (holdsAmount in domain/order-life.ts).
 *
 * A payment that Bringin already had when the order was placed never matches. A failed transaction counts, because sats arrived for it; an unpaid one
 * does not. If two match, does not guess: the customer may have paid twice, and may be owed one payment.
 */
export const matchTransaction = (order: FollowedOrder, rows: SellTransaction[], windowMs: number): { match: SellTransaction } | 'none' | 'ambiguous' => {
  const [only, second] = matching(order, rows, windowMs);
  if (!only) return 'none';
  return second ? 'ambiguous' : { match: asSale(readNotes(order.upstream), only) };
};

/** Returns the rows that match by their amount. Usually there is one at most. */
export const matching = (order: FollowedOrder, rows: SellTransaction[], windowMs: number): SellTransaction[] => {
  const { network } = readNotes(order.upstream);
  const { earlier_payments: earlier } = order.facts;
  // An order of an earlier release does not say which payments Bringin already had, so a payment that is dated before such an order does not match.
  const from = order.createdOn - (earlier ? matchSlackMs : 0);
  const dueBy = paymentDueBy({ ramp: 'sell', expiresOn: order.expiresOn, network });
  const until = dueBy === undefined ? order.createdOn + windowMs : dueBy + matchSlackMs;
  const isNew = ({ upstreamId, createdOn }: SellTransaction): boolean => createdOn >= from && createdOn <= until && earlier?.includes(upstreamId) !== true;
  return rows.filter((row) => row.kind === `sell_${network}` && row.pay === order.pay && isNew(row) && !isUnpaid(row.rawStatus));
};

/**
 * Returns whether a row that Bringin already has could be taken for the payment of an order that is being placed (`matching`). The row may be paid
 * later, or get details that it lacks now. Only such rows need to be remembered: anybody can make thousands of others.
 */
export const couldMatch = (row: TransactionRow, subtypes: Subtypes, network: OfferNotes['network'], pay: bigint): boolean => {
  const told = toTransaction(row, subtypes);
  const isElsewhere = told.kind === (network === 'lightning' ? 'sell_onchain' : 'sell_lightning');
  return maybeSale(row) && !isElsewhere && [undefined, 0n, pay].includes(told.pay);
};
