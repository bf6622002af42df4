import { Problem } from '../../gateway/problem.ts';
import type { Call } from '../call.ts';

const bearerForm = /^Bearer ([\w.~+/=-]{16,256})$/;

/** The hash of the operator's token that the caller showed, if he showed one. Looked up by its hash: nothing is compared with a secret. */
const operatorOf = ({ request, http, gateway }: Call): string | undefined => {
  const token = bearerForm.exec(request.headers.get('authorization') ?? '')?.[1];
  const hash = token === undefined ? undefined : gateway.hash(token);
  return hash !== undefined && http.operatorTokenHashes.includes(hash) ? hash : undefined;
};

/** Who is no operator learns nothing: the same answer as for a path that is not there. */
export const operatorOnly = (call: Call): void => {
  if (operatorOf(call) === undefined) throw new Problem('not-found', 'There is nothing at this path. /openapi.json lists what is here.');
};

/** How an operator stands in the record: enough to tell tokens apart, not enough to be one. */
export const actorOf = (call: Call): string => `token:${operatorOf(call)?.slice(0, 8) ?? 'none'}`;
