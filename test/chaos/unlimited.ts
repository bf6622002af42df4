/** A number that no suite reaches, for limits that the suite is not about. */
export const most = 1_000_000;

/** The parts of a configuration that would otherwise limit how much a suite may ask for. */
export const unlimited = {
  limits: { verify_per_minute: most, quotes_per_minute: most, orders_per_minute: most },
  orders: { max_open: most },
  sessions: { opens_per_minute: most },
};
