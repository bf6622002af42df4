/**
 * The blob that the gateway keeps sealed for one customer. It is the only place where a per-user key is stored (with its prefix, `pk_live_…`). The
 * key is never logged.
 */
import * as z from 'zod';
import type { RefusalNote } from '../../domain/refusal.ts';
import type { AccountState, Answer, CallContext } from '../spec.ts';
import { reasonIn } from './bringin-refusal.ts';

const customerBlob = z.object({
  status: z.enum(['onboarding', 'pending', 'connected', 'rejected', 'needs_reconnect']),
  /** The e-mail by which calls with the master key find the user. May be absent if the customer pasted their own key. */
  email: z.string().optional(),
  ref: z.string().optional(),
  key: z.string().optional(),
  userId: z.string().optional(),
  signupUrl: z.string().optional(),
});
export type BringinCustomer = z.output<typeof customerBlob>;

/** Reads the blob. Returns undefined if there is none. Throws on a blob that this adapter cannot have written. */
export const readCustomer = ({ customer }: Pick<CallContext, 'customer'>): BringinCustomer | undefined =>
  customer === undefined ? undefined : customerBlob.parse(JSON.parse(customer));
/** Writes the blob: always the same string for the same facts. */
export const writeCustomer = (customer: BringinCustomer): string => JSON.stringify(customerBlob.parse(customer));

/** Returns what may be shown about an account: never the key. */
export const showAccount = ({ status, signupUrl, userId }: BringinCustomer, mailSent?: boolean): AccountState => ({
  status,
  ...(signupUrl === undefined || status !== 'onboarding' ? {} : { signupUrl }),
  ...(mailSent === undefined ? {} : { mailSent }),
  ...(userId === undefined ? {} : { userId }),
});

/**
 * Thrown when Bringin refuses this user's key. The verb then ends with a refusal and not with a fault, since the provider works for other users.
 */
export class KeyRefused extends Error {}

const accountRequired = { ok: false, refusal: { reason: 'account-required' } } as const;

/** Runs a verb that needs the user's key. Marks a refused key, so that it is not tried again before the account has been read. */
export const withKey = async <T>(context: CallContext, verb: (key: string) => Promise<T>): Promise<T | Extract<Answer<never>, { ok: false }>> => {
  const customer = readCustomer(context);
  if (customer?.key === undefined) return accountRequired;
  const lost = { ok: false, refusal: { reason: 'account-required', note: 'needs-reconnect' } } as const;
  if (customer.status === 'needs_reconnect') return lost;
  try {
    return await verb(customer.key);
  } catch (error) {
    if (error instanceof KeyRefused) return { ...lost, customer: writeCustomer({ ...customer, status: 'needs_reconnect' }) };
    throw error;
  }
};

/** Refuses with `declined`. `detail`: at most a code of Bringin's, never its text. */
export const declined = (note: RefusalNote, detail?: string): Extract<Answer<never>, { ok: false }> => ({
  ok: false,
  refusal: { reason: 'declined', note, ...(detail === undefined ? {} : { detail }) },
});

/** Maps a refusal by Bringin to the reason that its words give, else to `declined` with our note. The result never has Bringin's text. */
export const refused = (body: unknown, note: RefusalNote, detail?: string): Extract<Answer<never>, { ok: false }> => {
  const reason = reasonIn(body);
  return reason === undefined ? declined(note, detail) : { ok: false, refusal: { reason } };
};
