/** How the simulated DFX reads the body of a quote or order: unknown members are dropped, and wrong types get a 400 with a list of messages. */
import * as z from 'zod';
import { readIban } from '../../banking/bank-account.ts';
import { isAddress, isCredential } from './dfx.simulator-address.ts';
import { fractionOf, type Fraction } from './dfx.simulator-amounts.ts';

const text = z.string({ error: 'must be a string' }).nullish();
const id = z.int({ error: 'must be an integer number' }).nullish();
/** DFX's contract does not say how an amount of 0 or below is answered: here, with 400. */
const amount = z
  .number({ error: 'must be a number conforming to the specified constraints' })
  .positive({ error: 'must be a positive number' })
  .transform((value, context): Fraction => {
    const read = fractionOf(value);
    if (read) return read;
    context.addIssue({ code: 'custom', message: 'must be a number conforming to the specified constraints' });
    return z.NEVER;
  })
  .nullish();
const object = { error: 'must be an object' };

const members = z.object(
  {
    currency: z.object({ id, name: text }, object).refine((one) => one.id != null || one.name != null, { error: 'should have an id or a name' }),
    asset: z.object({ id, blockchain: text }, object).refine((one) => one.id != null || one.blockchain != null, { error: 'should have an id or a blockchain' }),
    amount,
    targetAmount: amount,
    wallet: text,
    specialCode: text,
    country: text.refine((code) => code == null || /^[A-Z]{2}$/.test(code), { error: 'must be a valid ISO31661 Alpha2 code' }),
    stateProvince: text,
    paymentMethod: z.enum(['Bank', 'Instant', 'Card'], { error: 'must be one of the following values: Bank, Instant, Card' }).nullish(),
  },
  object,
);

const textsOf = ({ issues }: z.ZodError): string[] => issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim());

export type QuoteRequest = {
  currency: { id: number } | { name: string };
  asset: { id: number } | { blockchain: string };
  paymentMethod: 'Bank' | 'Instant' | 'Card';
  wallet: string | undefined;
  country: string | undefined;
} & ({ amount: Fraction } | { targetAmount: Fraction });

/** Returns the request, or messages that say what is wrong. A sell quote has no payment method: the member is unknown there, and dropped. */
export const readQuoteRequest = (ramp: 'buy' | 'sell', body: unknown): QuoteRequest | string[] => {
  const read = members.safeParse(ramp === 'buy' ? body : { ...(body as object), paymentMethod: undefined });
  if (!read.success) return textsOf(read.error);
  const { currency, asset, amount: source, targetAmount, wallet, country, paymentMethod } = read.data;
  const given = source ? (targetAmount ? undefined : { amount: source }) : targetAmount ? { targetAmount } : undefined;
  if (!given) return ['exactly one of amount and targetAmount must be given'];
  return {
    ...given,
    currency: currency.id == null ? { name: currency.name ?? '' } : { id: currency.id },
    asset: asset.id == null ? { blockchain: asset.blockchain ?? '' } : { id: asset.id },
    paymentMethod: paymentMethod ?? 'Bank',
    wallet: wallet ?? undefined,
    country: country ?? undefined,
  };
};

const orderMembers = z.object({
  currency: z.object({ id: z.int({ error: 'must be an integer number' }) }, object),
  externalTransactionId: text,
  exactPrice: z.boolean({ error: 'must be a boolean value' }).nullish(),
  iban: text,
});

export type OrderRequest = { quote: QuoteRequest; externalId: string | undefined; exactPrice: boolean; iban: string | undefined };

/**
 * Returns the order, or messages that say what is wrong. Orders name the currency only by its id: a name is an unknown member. A sale needs an IBAN.
 */
export const readOrderRequest = (ramp: 'buy' | 'sell', body: unknown): OrderRequest | string[] => {
  const read = orderMembers.safeParse(body);
  if (!read.success) return textsOf(read.error);
  const quote = readQuoteRequest(ramp, body);
  if (Array.isArray(quote)) return quote;
  const { externalTransactionId, exactPrice, iban: given, currency } = read.data;
  const iban = readIban(given ?? '');
  if (iban === undefined && (ramp === 'sell' || given != null)) return ['iban must be a valid IBAN'];
  return { quote: { ...quote, currency: { id: currency.id } }, externalId: externalTransactionId ?? undefined, exactPrice: exactPrice ?? false, iban };
};

const loginMembers = z.object(
  {
    address: z.string({ error: 'must be a string' }).refine(isAddress, { error: 'must match a supported address format' }),
    signature: z.string({ error: 'must be a string' }).refine(isCredential, { error: 'must match a supported signature format' }),
    wallet: text,
    usedRef: text,
    specialCode: text,
    language: text,
    recommendationCode: text,
  },
  object,
);
export type LoginRequest = { address: string; signature: string; wallet: string | undefined; recommendationCode: string | undefined };

export const readLogin = (body: unknown): LoginRequest | string[] => {
  const read = loginMembers.safeParse(body);
  if (!read.success) return textsOf(read.error);
  const { address, signature, wallet, recommendationCode } = read.data;
  return { address, signature, wallet: wallet ?? undefined, recommendationCode: recommendationCode ?? undefined };
};

/** Returns the value of one member, such as an e-mail address, or messages that say what is wrong. */
export const readText = (body: unknown, member: string, form: RegExp): { value: string } | string[] => {
  const read = z.object({ [member]: z.string({ error: 'must be a string' }).regex(form, { error: 'has another form' }) }, object).safeParse(body);
  return read.success ? { value: read.data[member] ?? '' } : textsOf(read.error);
};
