import type { Context } from './context.ts';
import { given, readAs, type Open } from './error.ts';
import { dateOf } from './mapped.ts';

/** A receipt's place in the hash tree of its day, in the form that `verifyReceipt` takes. There is none until the day is closed. */
export type ReceiptPlace = { day: string; index: number; size: number; proof: string[]; root: string; signed_root: string };
/** The stored decision, which shows why the provider was chosen. */
export type Route = {
  policy: { name: string; decidedBy: string };
  /** The signed decision, for `verifyReceipt` of `@ramp-gateway/client/receipt`. Keep it: it proves which offers there were. */
  receipt: string;
  receipts: { kind: Open<'decision' | 'filled' | 'link'>; receipt: string; madeOn: Date; inclusion?: ReceiptPlace }[];
  raw: Readonly<Record<string, unknown>>;
};

export const readRoute = async ({ inSession }: Context, of: { id: string; stage?: string }, signal?: AbortSignal): Promise<Route> => {
  const answer = await inSession('/route', of.stage === undefined ? { quote_id: of.id } : { order_id: of.id }, { signal });
  return readAs('a decision', () => ({
    policy: { name: answer.policy.name, decidedBy: answer.policy.decided_by },
    receipt: given(answer.receipt, 'receipt'),
    receipts: answer.receipts.map(({ made_on: madeOn, ...one }) => ({ ...one, madeOn: dateOf(madeOn) })),
    raw: answer,
  }));
};
