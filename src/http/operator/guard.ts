import { Problem } from '../../gateway/problem.ts';
import type { Call } from '../call.ts';

const bearerForm = /^Bearer (.+)$/;
const tokenForm = /^[\w.~+/=-]{16,256}$/;

const tokenIn = ({ request }: Call): string | undefined => bearerForm.exec(request.headers.get('authorization') ?? '')?.[1];

/** Returns the hash of the operator's token, if the caller showed one. It is looked up by its hash, so nothing is compared with a secret. */
const operatorOf = (call: Call): string | undefined => {
  const token = tokenIn(call);
  const hash = token !== undefined && tokenForm.test(token) ? call.gateway.hash(token) : undefined;
  return hash !== undefined && call.http.operatorTokenHashes.includes(hash) ? hash : undefined;
};

/**
 * Lets only operators through. Other callers get the same answer as for an unknown path. Only a network that has shown too many wrong tokens can tell
 * the difference: for the rest of the minute, each further wrong token gets 429. A right token works even then: otherwise a stranger behind the same
 * address could lock the operator out. Further guessing is hopeless in any case, because a token has at least 16 random characters.
 */
export const operatorOnly = async (call: Call): Promise<void> => {
  if (operatorOf(call) !== undefined) return;
  const nothing = new Problem('not-found', 'There is nothing at this path. /openapi.json lists the paths of the API.');
  if (tokenIn(call) === undefined) throw nothing;
  if (!(await call.allows('operator-guesses')))
    throw new Problem('rate-limited', 'Too many requests with a wrong token came from this network.', { retryAfterMs: 60_000 });
  call.gateway.count('operator_tokens_refused_total', {});
  call.gateway.log('warn', 'operator_token_refused', { route: new URL(call.request.url).pathname.slice(0, 64) });
  throw nothing;
};

/** Returns the operator's name in the audit log: enough to tell tokens apart, but useless as a token. */
export const actorOf = (call: Call): string => `token:${operatorOf(call)?.slice(0, 8) ?? 'none'}`;
