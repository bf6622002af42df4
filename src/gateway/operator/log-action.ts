import type { Json } from '../../domain/offer.ts';
import type { Gateway } from '../../ports/gateway.ts';

export type Operator = { actor: string };

/** Records in the table of actions what an operator is about to read or do. */
export const logAction = async (gateway: Gateway, { actor }: Operator, action: string, subject: string, detail?: { [name: string]: Json }): Promise<void> => {
  await gateway.stores.operator.record({ at: gateway.now(), actor, action, subject, ...(detail ? { detail } : {}) });
  gateway.log('info', 'operator', { actor, action, subject });
};
