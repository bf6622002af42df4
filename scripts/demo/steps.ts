/** What the three demos share. */
import type { Wallet } from './wallet.ts';

export const say = (text = ''): void => void process.stdout.write(`${text}\n`);

const patienceMs = 60_000;

/** Shows each stage once, until the wanted one. */
export const follow = async (wallet: Wallet, path: string, sessionId: string, orderId: string, wanted: string): Promise<void> => {
  const until = Date.now() + patienceMs;
  let seen = '';
  while (Date.now() < until) {
    const { body } = await wallet.call(path, { session_id: sessionId, order_id: orderId });
    const entry = body[orderId] as { stage: string; order_status: string; order_status_date: string } | undefined;
    if (entry && entry.stage !== seen) {
      seen = entry.stage;
      say(`   ${entry.order_status_date}  ${entry.order_status.padEnd(9)} ${entry.stage}`);
    }
    if (seen === wanted) return;
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error(`the order did not become ${wanted} within ${patienceMs / 1000} s`);
};

type Body = Record<string, unknown>;
/** A call that must succeed. Any other answer is thrown as the error. */
export const must = async (wallet: Wallet, path: string, body: object): Promise<Body> => {
  const answer = await wallet.call(path, body);
  if (answer.status !== 200) throw new Error(`POST ${path} answered ${answer.status}: ${String(answer.body['detail'])}`);
  return answer.body;
};

/** Asks until the condition holds. */
export const waitFor = async (what: string, ask: () => Promise<Body | undefined>): Promise<Body> => {
  const until = Date.now() + patienceMs;
  while (Date.now() < until) {
    const found = await ask();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 300));
  }
  throw new Error(`gave up after ${patienceMs / 1000} s: ${what}`);
};
