/** Texts for words of the API. A newer gateway may send words that have no text here; they are shown as they are. */
import type { FaultKind } from '../../../src/domain/fault-kind.ts';
import type { Attention, Settling, SwitchMode } from './api.ts';

type Told = {
  button: string;
  /** What the field for the reason asks for. */
  reason: string;
  /** What will happen. */
  happens: (stage: string) => readonly string[];
};
export const settlings: Readonly<Record<Settling, Told>> = {
  'leave-review': {
    button: 'End the review',
    reason: 'Reason',
    happens: (stage) => [
      `The review ends at the next read from the provider that does not contradict "${stage}". The order then has the stage that was read.`,
      'As long as the provider reports the same amounts, they do not lead to another review.',
    ],
  },
  'release-short': {
    button: 'Release the part',
    reason: 'Reason',
    happens: () => [
      'The customer may withdraw what was delivered, although it is less than was ordered.',
      'The rest stays owed, and the order stays disputed.',
    ],
  },
  'close-dispute': {
    button: 'Close the dispute',
    reason: 'How it was settled',
    happens: () => [
      'The order is no longer disputed: it leaves this list, the wallet no longer sees a dispute, and the order can become final.',
      "The provider's record stays as it is. A later report of other amounts is judged again.",
    ],
  },
  'close-attempt': {
    button: 'Close the attempt',
    reason: 'Reason',
    happens: () => [
      'The attempt ends: its quote can no longer be ordered, and the gateway stops searching for its order.',
      'Before you close it, search for the order at the provider, and tell the customer.',
    ],
  },
  'paid-not-filled': {
    button: 'Count as paid and never filled',
    reason: 'Proof of payment',
    happens: () => [
      "The order counts against the provider's record as paid and never filled. This cannot be taken back for one order.",
      'The order itself, and what the customer sees, do not change.',
    ],
  },
  'paid-otherwise': {
    button: 'End as paid in another way',
    reason: 'Proof of payment',
    happens: () => [
      'The order is finished at the next read from the provider, and the gateway gives out no withdrawal link for it any more. This cannot be taken back.',
      'If a link that was given out still pays, the customer is paid twice.',
      "The provider's record stays as it is.",
    ],
  },
  'drop-fallback': {
    button: 'Drop the fallback address',
    reason: 'Reason',
    happens: () => [
      'The customer may name another on-chain address, or none, with the next request for the withdrawal link.',
      'If the provider has given a link with the old address after all, the customer may be paid twice.',
    ],
  },
};

export const modes: Readonly<Record<SwitchMode, string>> = {
  on: 'It makes offers, and takes orders.',
  shadow: 'It is asked and recorded, but nobody sees its new offers. Quotes already given may be ordered.',
  drain: 'It makes no new offers. Quotes already given may be ordered.',
  off: 'It makes no new offers, and orders for quotes already given are refused.',
  configured: 'The switch is removed, and the mode in the configuration file applies.',
};

type Group = { title: string; help: string };
export const groups: Readonly<Record<keyof Attention, Group>> = {
  review: { title: 'In review', help: 'The gateway cannot tell what became of these orders. Ask the provider, then settle each order on its card.' },
  disputed: { title: 'Disputed', help: 'Less arrived than was ordered, or more was charged. Settle it with the provider.' },
  unknown: {
    title: 'Order attempts without an outcome',
    help: 'The provider has not answered yet, or its answer was lost. The gateway finds out by itself what became of the order.',
  },
  ill_providers: { title: 'Providers with problems', help: 'The gateway has stopped some or all of its calls to these providers.' },
  late: {
    title: 'Paid more than three days ago and not delivered, or possibly lost',
    help: 'Ask the provider where the money or the sats are. If it refuses, the order’s card shows what you can do.',
  },
  twins: { title: 'Orders that share one order at their provider', help: 'The provider gave two orders the same id. Compare them with the provider’s list.' },
  claims_in_review: { title: 'Withdrawals in review', help: 'There is no usable withdrawal link. Ask the provider why, and whether it can give one.' },
  dead_letters: { title: 'Webhooks that are no longer tried', help: 'The wallet’s server did not accept them. Send them once it works again.' },
  failing_webhooks: { title: 'Failing webhooks', help: 'The gateway tries each of them again by itself, ten times in all. You may send them now.' },
  switches: { title: 'Switches that are set', help: 'Somebody set these by hand. They stay until they are removed or their time is over.' },
  keys_in_rotation: { title: 'Keys in rotation', help: 'Retire an old key once nothing uses it any more. npm run keys -- list shows what still uses it.' },
};

/** Why the gateway does not call a provider, or what its last fault was. */
export const faults: Readonly<Record<FaultKind, string>> = {
  timeout: 'it does not answer in time',
  unreachable: 'it cannot be reached',
  'rate-limited': 'it limits our calls',
  'rejected-credentials': 'it refuses our credentials',
  malformed: 'its answers cannot be read',
  server: 'it answers with errors',
  'circuit-open': 'we stopped calling it',
  busy: 'our queue for it is full',
  'gateway-busy': 'our budget for opening sessions there was spent',
  'at-limit': 'an order would exceed what you allow in open orders there',
};
export const textOf = (texts: Readonly<Record<string, string>>, word: string): string =>
  (Object.hasOwn(texts, word) ? texts[word] : undefined) ?? word.replaceAll(/[-_]/g, ' ');
