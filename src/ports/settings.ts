import type { RepostProfile } from '../domain/order.ts';
import type { PaymentMethod } from '../domain/ramp.ts';
import type { Feed } from './reference.ts';

// ---- settings (a part of the parsed configuration, with the names that it uses) --------------------------------------------------------

export type Settings = {
  mode: 'sandbox' | 'live';
  network: 'main' | 'test' | 'signet' | 'regtest';
  public_url: string;
  /** The currency codes to list, in capitals. If absent, all are listed. */
  currencies?: string[] | undefined;
  traceparent: boolean;
  proof_of_ownership: 'never' | 'offered' | 'required';
  proof_templates: string[];
  routing: {
    quote_deadline_ms: number;
    verify_deadline_ms: number;
    order_deadline_ms: number;
    status_deadline_ms: number;
    late_grace_ms: number;
    answer_early?: { after_ms: number; offers: number } | undefined;
    outlier_bps: number;
    tolerance_bps: number;
    indicative_haircut_bps: number;
    route_version: 1 | 2 | 'auto';
    learning: 'off' | 'shown' | 'ranked';
    slippage_bps: number;
    quote_ttl_s: number;
    accept_margin_s: number;
    expiry_margin_s: number;
    shortest_life_s: number;
    reference?: Record<string, { btc_price?: number | undefined; max_deviation_bps?: number | undefined; feeds?: readonly Feed[] | undefined }> | undefined;
    arrival_seconds: Record<PaymentMethod, number>;
    option_methods: Record<string, PaymentMethod>;
  };
  sessions: { ttl_s: number; verify_ttl_s: number; token_ttl_s: number; owner_days: number; opens_per_minute: number };
  orders: { max_open: number; follow_days: number };
  liquidity: { balance_daily_sats: number };
  webhooks: { allowed_ports: number[] };
  catalogue: { fresh_s: number; stale_s: number };
  retention: { quotes_days: number; fills_days: number };
};

export type ProviderCore = {
  id: string;
  kind: string;
  mode: 'on' | 'shadow' | 'off';
  name: string;
  base_url: string;
  sandbox: boolean;
  display: {
    name?: string | undefined;
    terms_url?: string | undefined;
    support_url?: string | undefined;
    kyc?: 'none' | 'light' | 'full' | undefined;
    countries: string[];
  };
  preference_bps: number;
  haircut_bps?: number | undefined;
  repost: RepostProfile;
  late_commit_max_s: number;
  status_by_session: boolean;
  payment_hosts?: string[] | undefined;
  payout_hosts?: string[] | undefined;
  link_check: 'on' | 'off';
  option_aliases: Record<string, string>;
  option_methods: Record<string, PaymentMethod>;
  arrival_seconds?: { [method in PaymentMethod]?: number | undefined } | undefined;
  opens_per_minute?: number | undefined;
  quotes_per_node_per_day: number;
  orders_per_day: number;
  max_in_flight_sats?: number | undefined;
};
