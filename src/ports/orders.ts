import type { Json as AnyJson } from '../domain/offer.ts';
import type { Stage } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { NewDelivery } from './deliveries.ts';
import type { Json, Lease } from './runtime.ts';

export type Order = {
  id: string;
  intentId: string;
  quoteId: string;
  ramp: Ramp;
  customerId: string;
  providerId: string;
  providerSessionId?: string;
  upstreamOrderId?: string;
  stage: Stage;
  stageOn: number;
  rawStatus: string;
  sequence: number;
  pay: bigint;
  receive: bigint;
  fee: bigint;
  quotedPay: bigint;
  quotedReceive: bigint;
  binding: boolean;
  expiresOn?: number;
  terms: { [key: string]: AnyJson };
  facts: { [key: string]: AnyJson };
  upstream: Json;
  paymentInfo: string;
  secret?: string;
  referenceHash?: string;
  webhookUrl?: string;
  webhookEvents?: string[];
  appId?: string;
  createdOn: number;
  changedOn: number;
  checkedOn?: number;
  checks: number;
  nextCheckOn?: number;
  followUntil: number;
  final: boolean;
};
export type OrderEvent = {
  sequence: number;
  at: number;
  fromStage?: Stage;
  toStage: Stage;
  rawStatus: string;
  source: 'place' | 'read' | 'notice' | 'operator' | 'clock';
  note?: string;
};
export type OrderChange = Partial<
  Pick<
    Order,
    | 'stage'
    | 'stageOn'
    | 'rawStatus'
    | 'pay'
    | 'receive'
    | 'fee'
    | 'expiresOn'
    | 'facts'
    | 'terms'
    | 'secret'
    | 'changedOn'
    | 'checkedOn'
    | 'checks'
    | 'final'
    | 'upstreamOrderId'
  >
> & {
  nextCheckOn?: number | null;
};

export type OrderStore = {
  find(id: string, customerId: string): Promise<Order | undefined>;
  findAny(id: string): Promise<Order | undefined>;
  list(customerId: string, ramp: Ramp | undefined, limit: number, changedSince?: number): Promise<Order[]>;
  /** Writes the change, its event (when the stage moved) and its deliveries in one transaction; false when `sequence` moved meanwhile. */
  advance(order: Pick<Order, 'id' | 'sequence'>, change: OrderChange, event: OrderEvent | undefined, deliveries: NewDelivery[]): Promise<boolean>;
  claimDue(now: number, lease: Lease, limit: number): Promise<Order[]>;
  wake(id: string, now: number): Promise<void>;
  /** A customer's orders at a provider with this amount that can still be paid and whose payment nothing else tells, also of a removed account. */
  payableByAmount(providerId: string, customerId: string, pay: bigint, now: number): Promise<{ id: string; network: unknown }[]>;
  /** The upstream payments and orders that a customer's orders at a provider stand for, by the provider's ids; `except` is left out. */
  explained(providerId: string, customerId: string, except?: string): Promise<{ upstreamIds: string[]; openAmounts: bigint[] }>;
};
