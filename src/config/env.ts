import { z } from 'zod';

const schema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(8787),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(?:ql)?:\/\//, 'must begin with postgres://')
    .optional(),
  DATABASE_POOL: z.coerce.number().int().min(1).max(200).default(10),
  DATA_DIR: z.string().min(1).default('.data'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  CONFIG_FILE: z.string().min(1).default('providers.config.yaml'),
  PUBLIC_URL: z.url().optional(),
  INSTANCE: z
    .string()
    .regex(/^[\w.-]{1,32}$/)
    .optional(),
});
export type Env = z.output<typeof schema>;

/** The environment, without secrets (secrets.ts reads those). An empty value counts as absent. */
export const readEnv = (source: Record<string, string | undefined>): { ok: true; env: Env } | { ok: false; mistakes: string[] } => {
  const parsed = schema.safeParse(Object.fromEntries(Object.entries(source).filter(([, value]) => value !== '')));
  if (parsed.success) return { ok: true, env: parsed.data };
  return {
    ok: false,
    mistakes: parsed.error.issues.map(
      (issue) => `environment: ${issue.path.join('.')}: found ${JSON.stringify(source[String(issue.path[0])])}, ${issue.message}`,
    ),
  };
};
