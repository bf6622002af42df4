/** A time series in promtool's notation: its values at minute 0, 1, 2 … (`0+1x60`: 0 to 60 in steps of 1; `_`: not there yet). */
type Series = { [series: string]: string };
/** When an alert fires and when it does not, both asked at minute `at`, and the labels of the series that it fires for. */
export type AlertCase = { at: number; fires: Series; silent: Series; labels?: { [label: string]: string } };

const requests = (route: string, status: string): string => `ramp_http_requests_total{route="${route}",status="${status}",instance="a"}`;
const calls = (outcome: string): string => `ramp_provider_calls_total{provider="alpine",operation="quote",outcome="${outcome}"}`;
const judged = (outcome: string): string => `ramp_order_networks_total{provider="alpine",outcome="${outcome}"}`;
const oddity = (kind: string): string => `ramp_order_oddities_total{provider="alpine",kind="${kind}"}`;
const feed = (state: string): string => `ramp_feed_reads_total{currency="EUR",feed="kraken",state="${state}"}`;
const quotes = (le: string): string => `ramp_http_request_duration_seconds_bucket{route="/quote",le="${le}"}`;
const alpine = { provider: 'alpine' };

/** Counters start at 0, as the gateway exports them: an alert must see the very first event after a start. */
export const alertCases: { [alert: string]: AlertCase } = {
  RampDown: {
    at: 5,
    fires: { 'up{job="ramp-gateway",instance="a"}': '1 0x10' },
    silent: { 'up{job="ramp-gateway",instance="a"}': '1x10' },
    labels: { job: 'ramp-gateway', instance: 'a' },
  },
  RampAnswersFail: {
    at: 20,
    fires: { [requests('/quote', '200')]: '0+97x20', [requests('/quote', '502')]: '0+3x20' },
    silent: { [requests('/quote', '200')]: '0+99x20', [requests('/quote', '502')]: '0+1x20', [requests('/quote', '503')]: '0+50x20' },
  },
  RampDatabaseAway: {
    at: 10,
    fires: { [requests('/health/ready', '503')]: '0x3 6+6x10' },
    silent: { [requests('/health/ready', '503')]: '0x10', [requests('/health/ready', '200')]: '0+6x10' },
    labels: { instance: 'a' },
  },
  RampQuotesSlow: {
    at: 30,
    fires: { [quotes('1')]: '0+90x30', [quotes('2.5')]: '0+94x30', [quotes('5')]: '0+100x30', [quotes('+Inf')]: '0+100x30' },
    silent: { [quotes('1')]: '0+90x30', [quotes('2.5')]: '0+96x30', [quotes('5')]: '0+100x30', [quotes('+Inf')]: '0+100x30' },
  },
  RampProviderFails: {
    at: 30,
    fires: { [calls('ok')]: '0+4x30', [calls('timeout')]: '0+6x30' },
    silent: { [calls('ok')]: '0+2x30', [calls('refused')]: '0+4x30', [calls('timeout')]: '0+4x30' },
    labels: alpine,
  },
  RampProviderKeyRefused: {
    at: 10,
    fires: { 'ramp_provider_credentials_refused_total{provider="alpine"}': '0x5 1x10' },
    silent: { 'ramp_provider_credentials_refused_total{provider="alpine"}': '0x20' },
    labels: alpine,
  },
  RampProviderGoesBack: {
    at: 60,
    fires: { [judged('kept')]: '0x10 9x60', [judged('went-back')]: '0x10 4x60' },
    silent: { [judged('kept')]: '0x10 2x60', [judged('went-back')]: '0x10 4x60' },
    labels: alpine,
  },
  RampNoOrders: {
    at: 20,
    fires: { [requests('/order', '503')]: '0x5 5x20', 'ramp_orders_total{provider="alpine",outcome="confirmed"}': '0x30' },
    silent: { [requests('/order', '503')]: '0x5 5x20', 'ramp_orders_total{provider="alpine",outcome="confirmed"}': '0x10 1x20' },
  },
  RampPlacingsUnsettled: {
    at: 40,
    fires: { ramp_intents_unsettled: '0x5 1x60' },
    // Each attempt is resolved after some minutes, and at times there is none.
    silent: { ramp_intents_unsettled: '0x5 1x20 0 1x30' },
  },
  RampOrdersInReview: { at: 10, fires: { ramp_orders_in_review: '0 1x20' }, silent: { ramp_orders_in_review: '0x20' } },
  RampPaidNotDelivered: { at: 10, fires: { ramp_orders_paid_late: '0 1x20' }, silent: { ramp_orders_paid_late: '0x20' } },
  RampDeliveredLess: {
    at: 10,
    fires: { [oddity('short')]: '0x5 1x20' },
    silent: { [oddity('short')]: '0x20', [oddity('unknown')]: '0x5 1x20' },
    labels: { ...alpine, kind: 'short' },
  },
  RampOrderOddities: {
    at: 20,
    fires: { [oddity('unknown')]: '0x5 6x20' },
    silent: { [oddity('unknown')]: '0x5 4x20' },
    labels: { ...alpine, kind: 'unknown' },
  },
  RampWebhooksLate: { at: 20, fires: { ramp_deliveries_late: '0x5 21x30' }, silent: { ramp_deliveries_late: '0x5 20x30' } },
  // Webhooks that died before the last hour do not fire again.
  RampWebhooksDead: { at: 70, fires: { ramp_deliveries_dead: '3x65 4x30' }, silent: { ramp_deliveries_dead: '3x100' } },
  RampNoticesForged: {
    at: 20,
    fires: { 'ramp_notices_total{provider="alpine",genuine="false"}': '0x5 25x20' },
    silent: { 'ramp_notices_total{provider="alpine",genuine="false"}': '0x5 15x20', 'ramp_notices_total{provider="alpine",genuine="true"}': '0+9x20' },
    labels: alpine,
  },
  RampOperatorTokensRefused: {
    at: 20,
    fires: { ramp_operator_tokens_refused_total: '0x15 8x20' },
    silent: { ramp_operator_tokens_refused_total: '0x15 3x20' },
    labels: {},
  },
  RampProofTokenRefused: {
    at: 10,
    fires: { 'ramp_proof_tokens_refused_total{provider="alpine",reason="names-a-gateway"}': '0x5 1x20' },
    silent: { 'ramp_proof_tokens_refused_total{provider="alpine",reason="names-a-gateway"}': '0x20' },
    labels: { ...alpine, reason: 'names-a-gateway' },
  },
  RampBackgroundWorkFails: {
    at: 10,
    fires: { 'ramp_scheduled_failed_total{part="orders"}': '0x5 12x20' },
    silent: { 'ramp_scheduled_failed_total{part="orders"}': '0x5 5x20' },
    labels: { part: 'orders' },
  },
  RampReferenceNotLive: { at: 10, fires: { ramp_references_not_live: '0 1x20' }, silent: { ramp_references_not_live: '0x20' } },
  RampFeedUnused: {
    at: 40,
    fires: { [feed('used')]: '0x60', [feed('frozen')]: '0+1x60' },
    silent: { [feed('used')]: '0+1x60', [feed('frozen')]: '0+1x60' },
    labels: { currency: 'EUR', feed: 'kraken' },
  },
  RampReferenceDisputed: {
    at: 10,
    fires: { 'ramp_reference_disputed_total{currency="EUR"}': '0x5 8x20' },
    silent: { 'ramp_reference_disputed_total{currency="EUR"}': '0x5 4x20' },
    labels: { currency: 'EUR' },
  },
  RampNoBackgroundWork: {
    at: 40,
    fires: { 'ramp_scheduled_total{part="orders"}': '7x60', 'ramp_orders_total{provider="alpine",outcome="confirmed"}': '0x20 3x60' },
    silent: { 'ramp_scheduled_total{part="orders"}': '0+1x60', 'ramp_orders_total{provider="alpine",outcome="confirmed"}': '0x20 3x60' },
  },
};
