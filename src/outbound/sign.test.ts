import { createHash } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { createSigner, verifyDelivery } from './sign.ts';

// The worked example of the API description, to be checked byte for byte.
const seed = new Uint8Array(createHash('sha256').update('ramp-gateway example webhook key').digest());
const secret = 'whsec_R1Y0/x4Lz7dDn8gJwlEfGFCB8NvombmWXIIvXOmqYV0=';
const body = '{"type":"withdrawal_ready","data":{"order_id":"3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11","order_status":"filled"}}';
const message = { id: 'msg_5f0c2f6e7d5b4a0f9a3e2a1d8c7b6e54', timestamp: 1_795_276_927, body };
const signature =
  'v1a,vEZGRgGMG1++ApDbZgUYh2dlh9H9lS4kPqgvLhGaQSUlfU4pgZQD2AjyWp5Kn41VVQPUv6dbw5W5qETbUkTpDg== v1,S0oxLgRQLAvOokNobbY1K/UUvrMBjzH/ar98t2t+8j0=';
const whpk = 'whpk_QBI8WT7tjGCkXctU62bNS+FucdVpxNwKsTLeSAQh+ps=';

it('signs the example byte for byte and shows its key', async () => {
  const signer = createSigner([{ kid: 'w1', seed }], new Map([['wallet', [secret]]]));
  expect(Buffer.byteLength(body)).toBe(110);
  expect(await signer.sign({ ...message, appId: 'wallet' })).toBe(signature);
  expect(await signer.sign(message)).toBe(signature.split(' ')[0]);
  expect(await signer.jwks()).toEqual({
    keys: [{ kid: 'w1', kty: 'OKP', crv: 'Ed25519', use: 'sig', x: 'QBI8WT7tjGCkXctU62bNS-FucdVpxNwKsTLeSAQh-ps', whpk }],
  });
});

it('verifies with either kind of key within five minutes, and refuses everything else', async () => {
  const received = { id: message.id, timestamp: String(message.timestamp), signature, body };
  const at = message.timestamp * 1000;
  expect(await verifyDelivery(received, [whpk], at)).toBe(true);
  expect(await verifyDelivery(received, [secret], at)).toBe(true);
  expect(await verifyDelivery({ ...received, body: body.replace('filled', 'placed') }, [whpk, secret], at)).toBe(false);
  expect(await verifyDelivery({ ...received, id: 'msg_other' }, [whpk, secret], at)).toBe(false);
  for (const late of [300_000, -300_000]) expect(await verifyDelivery(received, [whpk], at + late)).toBe(true);
  for (const late of [300_001, -300_001]) expect(await verifyDelivery(received, [whpk], at + late)).toBe(false);
  expect(await verifyDelivery(received, ['whpk_QBI8WT7tjGCkXctU62bNS+FucdVpxNwKsTLeSAQh+po='], at)).toBe(false);
});

it('refuses a key of the other kind, a part that is not a signature, and a timestamp that is not a whole number', async () => {
  const received = { id: message.id, timestamp: String(message.timestamp), signature, body };
  const at = message.timestamp * 1000;
  const [ofAll = '', ofApp = ''] = signature.split(' ');
  expect(await verifyDelivery({ ...received, signature: ofAll }, [whpk], at)).toBe(true);
  expect(await verifyDelivery({ ...received, signature: ofAll }, [secret], at)).toBe(false);
  expect(await verifyDelivery({ ...received, signature: ofApp }, [secret], at)).toBe(true);
  expect(await verifyDelivery({ ...received, signature: ofApp }, [whpk], at)).toBe(false);
  // Skips a part without a signature, and one of an unknown version.
  expect(await verifyDelivery({ ...received, signature: `v1a v2,AAAA ${signature}` }, [whpk], at)).toBe(true);
  expect(await verifyDelivery({ ...received, signature: ofAll.replace('v1a,', 'v2,') }, [whpk, secret], at)).toBe(false);
  // Properly signed, but the timestamp is not in whole seconds.
  const between = message.timestamp + 0.5;
  const odd = await createSigner([{ kid: 'w1', seed }]).sign({ ...message, timestamp: between });
  expect(await verifyDelivery({ ...received, timestamp: String(between), signature: odd }, [whpk], at)).toBe(false);
});

it('signs with old and new key side by side during a rotation', async () => {
  const signer = createSigner([
    { kid: 'w2', seed: seed.map((byte) => byte ^ 1) },
    { kid: 'w1', seed },
  ]);
  const both = await signer.sign(message);
  expect(both.split(' ')).toHaveLength(2);
  expect(await verifyDelivery({ id: message.id, timestamp: String(message.timestamp), signature: both, body }, [whpk], message.timestamp * 1000)).toBe(true);
});

it("imports an app's secret as a key that cannot be exported", async () => {
  const imports = vi.spyOn(crypto.subtle, 'importKey');
  try {
    await createSigner([], new Map([['wallet', [secret]]])).sign({ ...message, appId: 'wallet' });
    const keys = await Promise.all(imports.mock.results.map(async ({ value }) => (await value) as { extractable: boolean }));
    expect(keys.map(({ extractable }) => extractable)).toEqual([false]);
  } finally {
    imports.mockRestore();
  }
});
