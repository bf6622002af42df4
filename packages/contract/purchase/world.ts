declare const process: { env: { [name: string]: string | undefined }; stdout: { write: (text: string) => void } };

const given = process.env['GATEWAY_URL'];
if (given === undefined) throw new Error('GATEWAY_URL is not set: it must name the gateway to buy from');
export const gatewayUrl = given;
export const say = (text: string): void => process.stdout.write(`  ${text}\n`);
export const sleep = async (ms: number): Promise<void> => await new Promise((done) => setTimeout(done, ms));
