/**
 * Wire schemas of Bringin: only the members that we read. Sources: docs.bringin.app, else the older OpenAPI document "Bringin APIs" 1.0.0 and the
 * code of Bringin's clients. Unknown members are ignored, and null means absent. Amounts are strings of integers (sats, euro cents); rates are
 * decimal strings. Names may be spelt differently, answers may be in an envelope, ids may be numbers, and one odd row does not make a list
 * unreadable.
 */
import * as z from 'zod';
import { defined } from '../../domain/defined.ts';
import { findDocument, findList, isMembers, withCamelNames, type Members } from '../kit/find-document.ts';
import { readError } from '../kit/read-error.ts';
import { readEnd } from '../kit/read-time.ts';
import { optional, wireBoolean, wireInteger, wireKey, wireSats, wireText, wireTime } from '../kit/wire-values.ts';

const text = wireText.min(1);
/** An optional hint: a value that cannot be read is ignored. */
const soft = <S extends z.ZodType>(schema: S) => optional(schema).catch(undefined);
/**
 * An amount in sats or euro cents, rounded down, so that no fraction is promised. Accepts numbers as well as strings, as BTCPay's plugin has had to.
 */
const whole = wireSats.refine((value) => value >= 0n, 'a negative amount');
/** A rate. A number that JavaScript would change arrives as a string (requestJson). */
const decimal = z.union([text.transform((value) => value.trim()), z.number().transform(String)]);
/** A status, type or currency word. Its case is ignored later. */
const word = text.transform((value) => value.trim());
const flag = soft(wireBoolean);

const has = (members: Members, ...names: string[]): boolean => names.some((name) => members[name] !== undefined && members[name] !== null);
/** Reads a document in its envelope, with its members in camel case. `also`: other spellings that clients have met. */
const document = <S extends z.ZodType>(schema: S, isIt: (members: Members) => boolean, also: Record<string, readonly string[]> = {}) =>
  z
    .unknown()
    .transform((value, context) => {
      const found = findDocument(withCamelNames(value), isIt);
      if (found) return respelt(found, also);
      context.addIssue({ code: 'custom', message: 'no such document' });
      return z.NEVER;
    })
    .pipe(schema as z.ZodType<z.output<S>, Members>);
const respelt = (members: Members, also: Record<string, readonly string[]>): Members => {
  const found = Object.entries(also).flatMap(([name, others]) => {
    const other = has(members, name) ? undefined : others.find((one) => has(members, one));
    return other === undefined ? [] : [[name, members[other]]];
  });
  return found.length === 0 ? members : { ...members, ...(Object.fromEntries(found) as Members) };
};

/** An error's code: `errorCode`, in older contracts `code`. It may be missing or of another type. Only a plain code is repeated. */
const plainCode = soft(z.union([z.string(), z.number().transform(String)]).pipe(z.string().regex(/^[\w-]{1,64}$/)));
const errorBody = z.object({ errorCode: plainCode, code: plainCode }).catch({ errorCode: undefined, code: undefined });
export const errorCodeOf = (body: unknown): string => {
  const { errorCode, code } = errorBody.parse(withCamelNames(body));
  const said = readError(body);
  return errorCode ?? code ?? said.codes.find((one) => /^[\w-]+$/.test(one)) ?? 'no code';
};

/** Returns the 4xx or 5xx status that a body states in one of its members, if it states any. */
export const statusIn = (body: unknown): number | undefined => {
  const members = withCamelNames(body);
  const said = isMembers(members) ? [members['statusCode'], members['status'], members['code'], members['httpStatus']].map(Number) : [];
  return said.find((status) => Number.isInteger(status) && status >= 400 && status < 600);
};

/** POST /application/connect (pages "onboarding/connect-user" and "api-keys" of the documentation). One schema for all of its answers. */
const key = { apiKey: ['apikey'], userId: ['userid', 'uuid'] } as const;
const connectMembers = ['userRegistered', 'isUserConnected', 'apiKey', 'apikey', 'signupUrl'];
export const connectReply = document(
  z.object({
    status: soft(word),
    userRegistered: flag,
    isUserConnected: flag,
    apiKey: optional(text),
    userId: soft(wireKey),
    /** `signupURL` in the documentation. */
    signupUrl: soft(text),
  }),
  (members) => has(members, ...connectMembers),
  key,
);
export type ConnectReply = z.output<typeof connectReply>;

/** GET /application/connect/status (page "api-keys"). */
export const statusReply = document(
  z.object({ status: word, apiKey: optional(text), userId: soft(wireKey) }),
  // A `status` that only says how the call went, such as "ok", is the envelope's.
  ({ status, apiKey, apikey }) => apiKey !== undefined || apikey !== undefined || (typeof status === 'string' && !envelopeWord.test(status)),
  key,
);
const envelopeWord = /^\s*(?:success|ok|succeeded|error|fail(?:ed|ure)?|\d*)\s*$/i;
export type StatusReply = z.output<typeof statusReply>;

/** GET /user/user-id (page "guides/offramp-integration"). */
export const userIdReply = document(z.object({ userId: wireKey }), (members) => has(members, 'userId', 'userid', 'id'), { userId: ['userid', 'id'] });

/** POST /offramp/rates. `price` is the market price, `bringinPrice` the price after fees. */
const ticker = word.transform((value) => value.toUpperCase().replaceAll(/[^A-Z]/g, ''));
const rates = z.object({ ticker, price: decimal, bringinPrice: decimal, currency: word.transform((value) => value.toUpperCase()) });
const isRate = (members: Members): boolean => has(members, 'bringinPrice', 'bringinprice');
export const ratesReply = z.preprocess((value) => {
  const named = withCamelNames(value);
  const ours = findDocument(named, (members) => isRate(members) && ticker.safeParse(members['ticker']).data === 'BTCEUR');
  return ours ?? findDocument(named, isRate) ?? value;
}, rates);
export type RatesReply = z.output<typeof ratesReply>;

/** POST /offramp/address, a reusable deposit address. Limits, if any, are in sats. */
export const addressReply = document(
  z.object({ address: text, minimumDepositAmount: optional(whole), maximumDepositAmount: optional(whole) }),
  (members) => has(members, 'address', 'depositAddress', 'lnAddress'),
  { address: ['depositAddress', 'lnAddress'] },
);

/**
 * POST /offramp/order: an order for one exact amount. docs.bringin.app does not describe it. The members are those that clients read (BTCPay,
 * splitpayments); the alternative names include those of the older contract.
 */
export const orderReply = document(
  z.object({
    id: wireKey,
    amount: optional(whole),
    invoice: optional(text),
    depositAddress: optional(text),
    /** The unit of a number is not stated, so it stays as it is. */
    expiresAt: z
      .unknown()
      .optional()
      .transform((value) => {
        const number = wireInteger.safeParse(value);
        return number.success ? { number: number.data } : readEnd(value);
      }),
  }),
  (members) =>
    has(members, 'id', 'orderId') &&
    has(members, 'invoice', 'lightningInvoice', 'paymentRequest', 'pr', 'depositAddress', 'bitcoinAddress', 'amount', 'sourceAmount', 'expiresAt'),
  {
    id: ['orderId'],
    amount: ['sourceAmount'],
    invoice: ['lightningInvoice', 'paymentRequest', 'bolt11', 'pr'],
    depositAddress: ['bitcoinAddress', 'onchainAddress'],
    expiresAt: ['expiresOn', 'expiry', 'expiration'],
  },
);

/** POST /account/get-balance, in cents. */
export const balanceReply = document(z.object({ balance: whole }), (members) => has(members, 'balance'));

/** POST /account/transactions (page "account/list-transactions"). A row that is not about bitcoin has amounts in other units. */
const upper = soft(word.transform((value) => value.toUpperCase()));
const transactionRow = document(
  z.object({
    orderId: wireKey,
    type: soft(word),
    subType: soft(word),
    sourceAmount: z.unknown().optional(),
    sourceCurrency: upper,
    destinationAmount: z.unknown().optional(),
    destinationCurrency: upper,
    /** A missing status counts as an unknown one. */
    status: soft(word).transform((status) => status ?? ''),
    createdAt: soft(wireTime),
  }),
  (members) => has(members, 'orderId', 'id', 'transactionId'),
  { orderId: ['id', 'transactionId'], subType: ['subtype'], createdAt: ['created', 'createdOn', 'timestamp', 'date'] },
).transform(({ sourceAmount: source, destinationAmount: destination, ...row }) => {
  const [from, to] = [source, destination].map((amount) => optional(whole).safeParse(amount));
  // If an amount is impossible, the row's status is not believed either.
  const isOdd = from?.success !== true || to?.success !== true;
  return { ...row, ...(isOdd ? { isOdd } : {}), ...defined({ sourceAmount: from?.data, destinationAmount: to?.data }) };
});
export type TransactionRow = z.output<typeof transactionRow>;

const mostRows = 1_000;
/** Returns the stated total. Searches for its name as written, because renaming the members of every row would cost as much as reading the rows. */
const totalIn = (members: Members): unknown => {
  const named = (form: RegExp): unknown => Object.entries(members).find(([name, value]) => form.test(name) && value !== null)?.[1];
  return named(/^total[_-]?count$/i) ?? named(/^total$/i);
};
/**
 * The rows of this answer that can be read, how many rows it has (`given`), how many cannot be read (`unread`), and the stated total (`totalCount`).
 */
export const transactionsReply = z.unknown().transform((value, context) => {
  const rows = findList(value, ['transactions']);
  if (rows === undefined || rows.length > mostRows) {
    context.addIssue({ code: 'custom', path: ['transactions'], message: 'no list' });
    return z.NEVER;
  }
  const read = rows.flatMap((row) => transactionRow.safeParse(row).data ?? []);
  const envelope = findDocument(value, (members) => totalIn(members) !== undefined);
  const total = wireInteger.safeParse(envelope && totalIn(envelope));
  return { transactions: read, given: rows.length, unread: rows.length - read.length, ...(total.success ? { totalCount: total.data } : {}) };
});

const standingOrder = document(z.object({ id: soft(wireKey), status: soft(word), challengeId: soft(wireKey), challengeExpiresAt: soft(wireTime) }), (members) =>
  has(members, 'id', 'status', 'challengeId'),
);

const kinds = { buy: 'FIAT_TO_CRYPTO', sell: 'CRYPTO_TO_FIAT' } as const;
type Kind = (typeof kinds)[keyof typeof kinds];
const longestWord = 100;
const squeezed = (value: unknown): string =>
  typeof value === 'string'
    ? value
        .slice(0, longestWord)
        .toUpperCase()
        .replaceAll(/[^A-Z0-9]/g, '')
    : '';
/** Returns the kind of a link: by its type word, else by a member that only one kind has. */
const typeOf = (link: Members, beside: Members): Kind | undefined => {
  const said = squeezed(link['type'] ?? link['direction'] ?? beside['type'] ?? beside['direction']);
  if (/FIAT.*CRYPTO|ONRAMP|BUY/.test(said)) return kinds.buy;
  if (/CRYPTO.*FIAT|OFFRAMP|SELL/.test(said)) return kinds.sell;
  if (has(beside, 'depositIban', 'destinationAddress')) return kinds.buy;
  return has(beside, 'lnAddress', 'depositAddress', 'destinationIban') ? kinds.sell : undefined;
};
const subtypeOf = (link: Members, beside: Members): 'LN' | 'ONCHAIN' | undefined => {
  const said = squeezed(link['subtype'] ?? link['subType'] ?? beside['subtype'] ?? beside['subType']);
  if (/^(?:LN|LIGHTNING)/.test(said)) return 'LN';
  if (/^(?:ON)?CHAIN/.test(said)) return 'ONCHAIN';
  if (has(beside, 'lnAddress')) return 'LN';
  return has(beside, 'depositAddress', 'depositIban', 'destinationAddress') ? 'ONCHAIN' : undefined;
};

/** Normalises one connection: the members of its `bringinLink` may stand among its other members. */
const asLink = (value: unknown): unknown => {
  const named = withCamelNames(value);
  const found = findDocument(
    named,
    (members) =>
      isMembers(members['bringinLink']) || isMembers(members['link']) || (has(members, 'id') && has(members, 'subtype', 'subType', 'standingOrder', 'type')),
  );
  if (!found) return value;
  const inner = [found['bringinLink'], found['link']].find(isMembers) ?? found;
  const [type, subtype] = [typeOf(inner, found), subtypeOf(inner, found)];
  return { ...found, bringinLink: { ...inner, type, subtype } };
};
const link = z.object({
  bringinLink: z.object({
    id: wireKey,
    name: soft(word).transform((name) => name ?? ''),
    type: z.enum([kinds.buy, kinds.sell]).optional(),
    subtype: z.enum(['LN', 'ONCHAIN']).optional(),
    status: soft(word).transform((status) => status ?? ''),
    createdAt: soft(wireTime),
  }),
  standingOrder: soft(standingOrder),
  lnAddress: soft(word),
  depositAddress: soft(word),
  depositIban: soft(word),
  destinationIban: soft(word),
  destinationAddress: soft(word),
  /** The error of a FAILED connection. Its shape is undocumented. */
  error: z.unknown().optional(),
});
/** GET /bringin-link/{id}. POST /bringin-link returns only `bringinLink`. */
export const linkReply = z.preprocess(asLink, link);
export type LinkReply = z.output<typeof linkReply>;
/** The connections that can be read, and the number of those that cannot. */
export const linksReply = z.unknown().transform((value, context) => {
  const all = findList(value, ['bringinLinks', 'bringinLink', 'links', 'connections']);
  if (all === undefined || all.length > mostRows) {
    context.addIssue({ code: 'custom', message: 'no list' });
    return z.NEVER;
  }
  const links = all.flatMap((one) => linkReply.safeParse(one).data ?? []);
  return { links, unread: all.length - links.length };
});

/**
 * POST /bringin-link/confirm and …/cancel/confirm: the standing order, bare (newer pages of the documentation) or wrapped (older pages). It does not
 * show the connection's state.
 */
export const standingOrderReply = z.preprocess((value) => {
  const wrapped = findDocument(withCamelNames(value), (members) => isMembers(members['standingOrder']));
  return wrapped?.['standingOrder'] ?? value;
}, standingOrder);
/** The value for an answer that only says "done". */
export const bareOrder: z.output<typeof standingOrder> = { id: undefined, status: undefined, challengeId: undefined, challengeExpiresAt: undefined };

/** POST /bringin-link/resend-otp: the challenge may be a new one. On older pages of the documentation, it is the only member. */
export const resendReply = document(z.object({ challengeId: soft(wireKey), attempts: soft(wireInteger) }), (members) =>
  has(members, 'challengeId', 'attempts'),
);
export const bareResend: z.output<typeof resendReply> = { challengeId: undefined, attempts: undefined };

/** POST /bringin-link/{standingOrderId}/cancel: done at once, or a code was sent. */
export const cancelReply = document(z.object({ immediate: flag, challengeId: soft(wireKey) }), (members) => has(members, 'immediate', 'challengeId'));
export const bareCancel: z.output<typeof cancelReply> = { immediate: undefined, challengeId: undefined };

/** LUD-06 metadata at the well-known address of LUD-16, in millisatoshi. Bringin's own example has `minSendable` as a string. */
export const payReply = z.union([
  z.object({ tag: z.literal('payRequest'), minSendable: whole, maxSendable: whole }),
  z.object({ status: z.string().regex(/^error$/i), reason: optional(wireText) }).transform(() => ({ status: 'ERROR' as const })),
]);
