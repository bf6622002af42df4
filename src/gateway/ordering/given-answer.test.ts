import { expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { answerFromText, answerToText, giveAnswer, type GivenAnswer } from './given-answer.ts';

const order: GivenAnswer = { order: '{"order_id":"o","amount_sats":1}' };
const problem: GivenAnswer = { problem: { code: 'price-changed', detail: 'It costs more.', more: { members: { offers: [] } } } };
/** Answers as the previous release stored them in `intents.answer`. */
const earlier = {
  order: '{"status":200,"body":"{\\"order_id\\":\\"o\\",\\"amount_sats\\":1}"}',
  problem:
    '{"status":0,"body":"{\\"problem\\":{\\"code\\":\\"price-changed\\",\\"detail\\":\\"It costs more.\\",\\"more\\":{\\"members\\":{\\"offers\\":[]}}}}"}',
};

test('answers that the previous release wrote are read', () => {
  expect([answerFromText(earlier.order), answerFromText(earlier.problem)]).toEqual([order, problem]);
});

test('the previous release can read what is written now', () => {
  expect([answerToText(order), answerToText(problem)]).toEqual([earlier.order, earlier.problem]);
});

test('the plain form is read, too, for a later release that will write it', () => {
  expect([order, problem].map((answer) => answerFromText(JSON.stringify(answer)))).toEqual([order, problem]);
});

test('an order is returned as its exact bytes; a problem is thrown', () => {
  expect(giveAnswer(order)).toBe('{"order_id":"o","amount_sats":1}');
  expect(() => giveAnswer(problem)).toThrow(Problem);
});
