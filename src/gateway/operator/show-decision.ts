/** Shows the decision behind an order as a table: every provider that was asked, and what came of it. */
import { defined } from '../../domain/defined.ts';
import type { Json } from '../../domain/offer.ts';
import { readQuoteId } from '../../domain/route-id.ts';
import type { Dossier } from '../../ports/operator.ts';
import { maskText } from './mask.ts';

type Row = {
  provider: string;
  outcome: 'offer' | 'excluded' | 'refused' | 'failed';
  ordered: boolean;
  rank?: number;
  pay?: string;
  receive?: string;
  fee?: string;
  binding?: boolean;
  behind_best_bps?: number;
  reason?: string;
};

const member = (json: Json | undefined, name: string): Json | undefined =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? json[name] : undefined;
const listIn = (json: Json | undefined, name: string): Json[] => {
  const list = member(json, name);
  return Array.isArray(list) ? list : [];
};
const textIn = (json: Json | undefined, name: string): string | undefined => {
  const value = member(json, name);
  return typeof value === 'string' ? maskText(value) : undefined;
};

/**
 * Lists the ranked offers, then what came of the other providers. Any earlier release may have stored the decision, so no member is taken for
 * granted. If the decision is no longer stored, lists only the offer that was ordered.
 */
export const showDecision = ({ intent, route }: Pick<Dossier, 'intent' | 'route'>): Row[] => {
  const decision = member(route?.route ?? intent.quote, 'route');
  const rank = readQuoteId(intent.quoteId)?.rank;
  const rowOf = (json: Json, outcome: Row['outcome'], reason: string | undefined): Row => {
    const offer = member(json, 'offer');
    const amounts = { pay: textIn(offer, 'pay'), receive: textIn(offer, 'receive'), fee: textIn(offer, 'fee') };
    return { provider: textIn(json, 'providerId') ?? '', outcome, ordered: false, ...defined({ ...amounts, reason }) };
  };
  const offers = listIn(decision, 'offers').map((json, i): Row => {
    const [binding, behind] = [member(json, 'countsAsBinding'), member(json, 'behindBestBps')];
    const its = route ? i + 1 : rank;
    return {
      ...rowOf(json, 'offer', undefined),
      ...defined({ rank: its }),
      ordered: its === rank,
      ...(typeof binding === 'boolean' ? { binding } : {}),
      ...(typeof behind === 'number' && Number.isFinite(behind) ? { behind_best_bps: Math.round(behind) } : {}),
    };
  });
  return [
    ...offers,
    ...listIn(decision, 'excluded').map((json) => rowOf(json, 'excluded', textIn(json, 'rule'))),
    ...listIn(decision, 'refused').map((json) => rowOf(json, 'refused', textIn(member(json, 'refusal'), 'reason'))),
    ...listIn(decision, 'failed').map((json) => rowOf(json, 'failed', textIn(json, 'reason'))),
  ];
};
