/**
 * The operator's commands. Here `npm run <name> -- …` runs one, in the image `ramp <name> …`: this list makes both. A command is the file of its name
 * in scripts/, with "-" for ":".
 */
type Command = { about: string; run: () => Promise<unknown> };

export const commands: Readonly<Record<string, Command>> = {
  'config:check': { about: 'names the mistakes in the configuration file', run: async () => await import('../config-check.ts') },
  keys: { about: 'makes, lists, rotates and retires keys', run: async () => await import('../keys.ts') },
  doctor: { about: 'checks a running gateway from outside', run: async () => await import('../doctor.ts') },
  order: { about: 'finds an order and says where it is', run: async () => await import('../order.ts') },
  deliveries: { about: 'lists webhooks, and sends them again', run: async () => await import('../deliveries.ts') },
  sessions: { about: 'ends sessions', run: async () => await import('../sessions.ts') },
  customer: { about: "exports or deletes a customer's data, releases an e-mail or address", run: async () => await import('../customer.ts') },
  restored: { about: 'run it after the database came back from a backup', run: async () => await import('../restored.ts') },
  record: { about: 'what the providers delivered, and what they quoted', run: async () => await import('../record.ts') },
  receipt: { about: 'verifies a receipt', run: async () => await import('../receipt.ts') },
  'provider:check': { about: 'tries a provider, and prints the settings for it', run: async () => await import('../provider-check.ts') },
};
