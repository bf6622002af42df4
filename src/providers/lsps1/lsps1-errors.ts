import { z } from 'zod';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../fault.ts';

type SaidError = { code?: number; property?: string; text: string };

const text = z.string().max(4096).catch('');
const rpcError = z.object({
  code: z.number().optional().catch(undefined),
  message: text,
  data: z
    .object({ property: z.string().optional().catch(undefined), message: text })
    .optional()
    .catch(undefined),
});
const body = z.union([
  z.string().transform((message) => ({ message })),
  z.object({ error: z.union([z.string().transform((message) => ({ message })), rpcError]) }).transform(({ error }) => error),
  rpcError,
]);

/** A seller's error, in any of its forms. We read its words and never pass them on. */
export const readError = (said: unknown): SaidError => {
  const parsed = body.safeParse(said);
  if (!parsed.success) return { text: '' };
  const error = rpcError.parse(parsed.data);
  return {
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.data?.property === undefined ? {} : { property: error.data.property }),
    text: `${error.message} ${error.data?.message ?? ''}`.trim(),
  };
};

const notFoundCode = 101;
export const isNotFound = ({ code, text: words }: SaidError): boolean => code === notFoundCode || /not[ _]found|no such order|unknown order/i.test(words);

const tokenCode = 102;
/** Code 100 names the limit (`max_channel_expiry_blocks`), code −32602 the field of the request (`channel_expiry_blocks`). */
const propertyReasons: readonly (readonly [RegExp, Refusal['reason']])[] = [
  [/channel_expiry_blocks$/, 'lease-unsupported'],
  [/refund_onchain_address$/, 'payment-method-unsupported'],
  [/balance_sat$|announce_channel$/, 'option-unsupported'],
];

/** Why a seller made no order. Throws `rate-limited` if the words say so under a status other than 429. */
export const toRefusal = (said: unknown, connectTo: string | undefined): Refusal => {
  const { code, property, text: words } = readError(said);
  if (/too many|rate.?limit|slow down/i.test(words)) throw new ProviderFault('rate-limited', 'an error that says so', { taken: 'no' });
  if (/not (?:yet )?connected|peer.{0,40}(?:connect|offline|online)|connect.{0,40}(?:peer|first|node)/i.test(words))
    return { reason: 'peer-not-connected', ...(connectTo === undefined ? {} : { connectTo }) };
  if (code === tokenCode || property === 'token') return { reason: 'declined', note: 'token-refused' };
  if (/white.?list|allow.?list/i.test(words)) return { reason: 'declined', note: 'node-not-listed' };
  return { reason: propertyReasons.find(([named]) => named.test(property ?? ''))?.[1] ?? 'declined' };
};
