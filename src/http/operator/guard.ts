import { Problem } from '../../gateway/problem.ts';
import type { Call } from '../call.ts';

const bearerForm = /^Bearer ([\w.~+/=-]{16,256})$/;

/** Returns the hash of the operator's token, if the caller showed one. It is looked up by its hash, so nothing is compared with a secret. */
const operatorOf = ({ request, http, gateway }: Call): string | undefined => {
  const token = bearerForm.exec(request.headers.get('authorization') ?? '')?.[1];
  const hash = token === undefined ? undefined : gateway.hash(token);
  return hash !== undefined && http.operatorTokenHashes.includes(hash) ? hash : undefined;
};

/** Lets only operators through. Other callers get the same answer as for an unknown path, so that they learn nothing. */
export const operatorOnly = (call: Call): void => {
  if (operatorOf(call) === undefined) throw new Problem('not-found', 'There is nothing at this path. /openapi.json lists the paths of the API.');
};

/** Returns the operator's name in the audit log: enough to tell tokens apart, but useless as a token. */
export const actorOf = (call: Call): string => `token:${operatorOf(call)?.slice(0, 8) ?? 'none'}`;
