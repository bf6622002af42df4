import type postgres from 'postgres';

type Gauge = { name: string; help: string; value: number };

/** Reads the gauges from the database, which are the same on every instance. Throws the driver's error if the database does not answer. */
export const databaseGauges = async (sql: postgres.Sql): Promise<Gauge[]> => {
  const [row] = await sql<{ late: number; dead: number; unsettled: number; review: number; late_paid: number; prices: number }[]>`
    select (select count(*) from deliveries where state = 'due' and due_on < now() - interval '1 minute')::int as late,
      (select count(*) from deliveries where state = 'dead')::int as dead,
      (select count(*) from intents where state in ('prepared', 'sending', 'unknown'))::int as unsettled,
      (select count(*) from orders where stage = 'review')::int as review,
      (select count(*) from orders where stage = 'paid' and stage_on < now() - interval '3 days')::int as late_paid,
      (select count(*) from reference_prices
        where json_array_length(readings) > 1 and (state <> 'live' or read_on < now() - interval '3 minutes'))::int as prices`;
  return [
    { name: 'deliveries_late', help: 'Webhooks that have been due for over a minute', value: row?.late ?? 0 },
    { name: 'deliveries_dead', help: 'Webhooks that the gateway gave up on', value: row?.dead ?? 0 },
    { name: 'intents_unsettled', help: 'Order attempts without an outcome', value: row?.unsettled ?? 0 },
    { name: 'orders_in_review', help: 'Orders in review, which need the operator', value: row?.review ?? 0 },
    { name: 'orders_paid_late', help: 'Orders that were paid more than three days ago and are not delivered', value: row?.late_paid ?? 0 },
    {
      name: 'references_not_live',
      help: 'Currencies with several price feeds that have no live price: no two feeds agree, or they were not read for three minutes',
      value: row?.prices ?? 0,
    },
  ];
};
