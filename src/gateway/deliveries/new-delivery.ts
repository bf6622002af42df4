import type { NewDelivery } from '../../ports/deliveries.ts';
import { deliveryUrlPlace } from '../places.ts';
import type { Gateway } from '../../ports/gateway.ts';

export type Telling = Pick<Gateway, 'seal' | 'hash' | 'now'> & { ids: Pick<Gateway['ids'], 'uuid'> };
export type Tell = {
  subjectId: string;
  sequence: number;
  type: string;
  data: object;
  url: string;
  appId?: string;
  /** Identifies the event, so that its webhook has the same id if it is sent again after a restore. */ key?: string;
};

/** Builds a webhook as it will be sent. The body's bytes and the id are fixed here, and are the same for every attempt. */
export const newDelivery = async (gateway: Telling, tell: Tell): Promise<NewDelivery> => {
  const id = `msg_${tell.key === undefined ? gateway.ids.uuid().replaceAll('-', '') : gateway.hash(`${tell.subjectId}\n${tell.type}\n${tell.key}`).slice(0, 32)}`;
  const now = gateway.now();
  return {
    id,
    subjectId: tell.subjectId,
    type: tell.type,
    sequence: tell.sequence,
    body: JSON.stringify({ type: tell.type, data: tell.data }),
    url: await gateway.seal.seal(tell.url, deliveryUrlPlace(id)),
    // A dot at the end of a host's name leads to the same host.
    host: new URL(tell.url).host.replace(/\.(?=:|$)/, ''),
    createdOn: now,
    dueOn: now,
    ...(tell.appId === undefined ? {} : { appId: tell.appId }),
  };
};
