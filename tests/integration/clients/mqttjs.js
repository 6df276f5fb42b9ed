// MQTT.js does what an app does: node mqttjs.js URL 4|5 USER PASSWORD CA_FILE NAME. Ends with 0 when all of it worked.
'use strict';
const fs = require('fs');
const mqtt = require('mqtt');

const [url, version, username, password, caFile, name] = process.argv.slice(2);
const TOPIC = `${name}/家/客厅/温度`;
const PAYLOAD = '二十三度，晴';
const PATIENCE_MS = 20000;

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function options(more) {
  return {
    protocolVersion: Number(version), username, password, ca: caFile ? fs.readFileSync(caFile) : undefined,
    reconnectPeriod: 0, clean: true, ...more,
  };
}

// A client that remembers what it gets; its session outlives it when `more` has clean: false.
function connect(clientId, more = {}) {
  const client = mqtt.connect(url, options({
    clientId, ...more,
    properties: Number(version) === 5 && more.clean === false ? { sessionExpiryInterval: 3600 } : undefined,
  }));
  client.got = [];
  client.on('message', (topic, payload, packet) => {
    client.got.push(`${packet.qos}|${packet.retain}|${topic}|${payload}`);
    client.emit('counted');
  });
  return within(new Promise((resolve, reject) => {
    client.once('connect', (connack) => { client.sessionPresent = connack.sessionPresent; resolve(client); });
    client.once('error', reject);
  }), `connect ${clientId}`);
}

function gets(client, expected) {
  return within(new Promise((resolve) => {
    const look = () => { if (client.got.length >= expected.length) resolve(); };
    client.on('counted', look);
    look();
  }), `${JSON.stringify(expected)}, got ${JSON.stringify(client.got)}`).then(() => {
    if (JSON.stringify(client.got) !== JSON.stringify(expected)) {
      throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(client.got)}`);
    }
  });
}

async function refusesWrongPassword() {
  const said = await connect(`${name}-x`, { password: 'wrong' }).then(() => 'accepted', (error) => error.message);
  if (!/refused|not authori/i.test(said)) throw new Error(`a wrong password was ${said}`);
}

async function roundTrip() {
  const client = await connect(`${name}-rt`);
  await client.subscribeAsync(TOPIC, { qos: 2 });
  for (const qos of [0, 1, 2]) await client.publishAsync(TOPIC, `${PAYLOAD} ${qos}`, { qos });
  await gets(client, [0, 1, 2].map((qos) => `${qos}|false|${TOPIC}|${PAYLOAD} ${qos}`));
  await client.endAsync();
}

async function retained() {
  const client = await connect(`${name}-rn`);
  await client.publishAsync(`${TOPIC}/kept`, PAYLOAD, { qos: 1, retain: true });
  await client.subscribeAsync(`${TOPIC}/kept`, { qos: 1 });
  await gets(client, [`1|true|${TOPIC}/kept|${PAYLOAD}`]);
  await client.publishAsync(`${TOPIC}/kept`, '', { qos: 1, retain: true });
  await client.endAsync();
}

async function will() {
  const mourner = await connect(`${name}-m`);
  await mourner.subscribeAsync(`${TOPIC}/will`, { qos: 1 });
  const mortal = await connect(`${name}-w`, { will: { topic: `${TOPIC}/will`, payload: PAYLOAD, qos: 1 } });
  mortal.on('error', () => {});
  mortal.stream.destroy();
  await gets(mourner, [`1|false|${TOPIC}/will|${PAYLOAD}`]);
  await mourner.endAsync();
}

async function offlineQueue() {
  const first = await connect(`${name}-off`, { clean: false });
  await first.subscribeAsync(`${TOPIC}/off`, { qos: 1 });
  await first.endAsync();
  const sender = await connect(`${name}-s`);
  for (const n of [1, 2, 3]) await sender.publishAsync(`${TOPIC}/off`, `${PAYLOAD} ${n}`, { qos: 1 });
  await sender.endAsync();
  const again = await connect(`${name}-off`, { clean: false });
  if (!again.sessionPresent) throw new Error('the session is not present');
  await gets(again, [1, 2, 3].map((n) => `1|false|${TOPIC}/off|${PAYLOAD} ${n}`));
  await again.endAsync();
}

async function main() {
  for (const step of [refusesWrongPassword, roundTrip, retained, will, offlineQueue]) {
    await step();
    console.log(`ok ${step.name}`);
  }
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
