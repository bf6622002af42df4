import type { OperatorStore } from '../../ports/operator.ts';
import { showDossier } from './show-dossier.ts';

/** Returns the target id under which an earlier release stored a notice with a wrong token. This release does not store such notices. */
const forgedTarget = (hash: (text: string) => string, id: string): string => hash(id).slice(0, 32);

/** Finds what is stored about one order by its order id, quote id or intent id, with secrets masked. */
export const lookUpOrder = async (store: Pick<OperatorStore, 'dossier'>, hash: (text: string) => string, id: string, now: number) => {
  const dossier = await store.dossier(id, (intentId, orderId) => [forgedTarget(hash, intentId), forgedTarget(hash, orderId)]);
  return dossier && showDossier(dossier, now, hash);
};
