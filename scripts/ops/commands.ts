/**
 * The operator's commands. In the repository, `npm run <name> -- …` runs a command (package.json lists the same names); in the image, `ramp <name> …`
 * does. The code of a command is in scripts/, in the file with the command's name, with "-" for ":".
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
  restored: { about: 'catches up after the database was restored from a backup', run: async () => await import('../restored.ts') },
  record: { about: 'shows what the providers delivered and quoted', run: async () => await import('../record.ts') },
  receipt: { about: 'verifies a receipt', run: async () => await import('../receipt.ts') },
  'provider:check': { about: 'tries a provider, and prints the settings for it', run: async () => await import('../provider-check.ts') },
};
