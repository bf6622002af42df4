import { createBackend } from './backend.ts';

const { GATEWAY: gateway = 'http://127.0.0.1:8787', PORT: port = '3000' } = process.env;
const publicUrl = process.env['PUBLIC_URL'] ?? `http://127.0.0.1:${port}`;
const { server, resume } = createBackend({
  gateway,
  publicUrl,
  folder: '.data',
  // The link is money: a real wallet redeems it, and never logs it.
  payOut: (orderId) => Promise.resolve(void process.stdout.write(`order ${orderId} can be withdrawn\n`)),
});
server.listen(Number(port), () => process.stdout.write(`POST ${publicUrl}/buy {"pay": "100"}\n`));
await resume();
