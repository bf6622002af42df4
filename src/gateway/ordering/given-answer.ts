import type { Gateway } from '../../ports/gateway.ts';
import { Problem, type ProblemCode, type ProblemMore } from '../problem.ts';
import { answerPlace } from '../places.ts';

/** The answer of a resolved intent: the bytes of an order, or a problem. It is stored so that the same request gets the same answer again. */
export type GivenAnswer = { order: string } | { problem: GivenProblem };
export type GivenProblem = { code: ProblemCode; detail: string; more: ProblemMore };

/**
 * The form in which the previous release stores answers; its instances may still run beside ours. Status 0 means a problem, which is in `body` as
 * JSON. We write this form as long as that release may be in use, and read both forms.
 */
type EarlierForm = { status: number; body: string };

export const answerToText = (answer: GivenAnswer): string =>
  JSON.stringify(('order' in answer ? { status: 200, body: answer.order } : { status: 0, body: JSON.stringify(answer) }) satisfies EarlierForm);

/** Reads an answer in either form. */
export const answerFromText = (text: string): GivenAnswer => {
  const stored = JSON.parse(text) as GivenAnswer | EarlierForm;
  if (!('status' in stored)) return stored;
  return stored.status === 0 ? (JSON.parse(stored.body) as { problem: GivenProblem }) : { order: stored.body };
};

export const sealAnswer = async (gateway: Gateway, intentId: string, answer: GivenAnswer): Promise<string> =>
  await gateway.seal.seal(answerToText(answer), answerPlace(intentId));
export const openAnswer = async (gateway: Gateway, intentId: string, sealed: string): Promise<GivenAnswer> =>
  answerFromText(await gateway.seal.open(sealed, answerPlace(intentId)));

/** Returns the order's body. Throws the Problem if the answer is one. */
export const giveAnswer = (answer: GivenAnswer): string => {
  if ('order' in answer) return answer.order;
  const { code, detail, more } = answer.problem;
  throw new Problem(code, detail, more);
};
