import * as z from 'zod';
import { endpoint } from '../call.ts';
import { sharedAnswer } from '../../gateway/shared-answer.ts';
import type { Gateway } from '../../ports/gateway.ts';

export const live = endpoint({
  id: 'getLiveness',
  method: 'get',
  path: '/health/live',
  answer: z.object({ status: z.literal('live') }),
  problems: [],
  lane: 'free',
  run: async () => await Promise.resolve({ body: { status: 'live' as const } }),
});

/** How long a readiness check waits for the database. */
const longestCheckMs = 4_000;

type State = { database: boolean; migrations: boolean; configuration: boolean };
const notKnown: State = { database: false, migrations: false, configuration: true };

const stateOf = async (gateway: Gateway): Promise<State> => {
  const found = await gateway.stores.check();
  if (!found.database || !found.migrations) return { ...found, configuration: true };
  try {
    return { ...found, configuration: (await gateway.lostKey?.()) === undefined };
  } catch {
    return notKnown;
  }
};

export const readiness = z.enum(['ready', 'not-ready']);

/**
 * Ready means that the database takes writes and has every migration, that our keys open what it holds, and that the instance is not being stopped.
 * A provider's health does not count here; see /providers.
 */
export const ready = endpoint({
  id: 'getReadiness',
  method: 'get',
  path: '/health/ready',
  answer: z.object({ status: readiness, database: z.boolean(), migrations: z.boolean(), configuration: z.boolean() }),
  otherStatuses: { 503: 'Not ready: a part that is false is missing or not in order, or the instance is being stopped' },
  problems: [],
  lane: 'free',
  run: async ({ gateway }) => {
    let state = notKnown;
    const check = sharedAnswer(gateway, 'readiness', async () => await stateOf(gateway)).then((found) => void (state = found));
    await gateway.waitAtMost(check, longestCheckMs);
    const good = state.database && state.migrations && state.configuration && gateway.state.leaving !== true;
    return { status: good ? 200 : 503, body: { status: good ? ('ready' as const) : ('not-ready' as const), ...state } };
  },
});
