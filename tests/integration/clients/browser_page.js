// The paho browser client does what a web app does, in the page that browser.js opens. The page's address has the broker's
// URL, version (3 or 4), user, password and a name as its query; window.outcome is a promise of what happened.
'use strict';
const given = new URLSearchParams(location.search);
const [url, version, userName, password, name] =
  ['url', 'version', 'user', 'password', 'name'].map((key) => given.get(key));
const TOPIC = `${name}/家/客厅/温度`;
const PAYLOAD = '二十三度，晴';
const PATIENCE_MS = 20000;

function within(promise, what) {
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not within ${PATIENCE_MS} ms: ${what()}`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]);
}

function message(topic, payload, qos, retained = false) {
  const made = new window.Paho.Message(payload);
  Object.assign(made, { destinationName: topic, qos, retained });
  return made;
}

function connect(clientId, more = {}, Library = window.Paho) {
  const client = new Library.Client(url, clientId);
  client.got = [];
  client.onMessageArrived = (m) => client.got.push(`${m.qos}|${m.retained}|${m.destinationName}|${m.payloadString}`);
  return within(new Promise((resolve, reject) => client.connect({
    userName, password, mqttVersion: Number(version), mqttVersionExplicit: true, ...more,
    onSuccess: () => resolve(client), onFailure: (why) => reject(new Error(why.errorMessage)),
  })), () => `connect ${clientId}`);
}

const subscribe = (client, filter, qos) => within(new Promise((onSuccess, onFailure) => {
  client.subscribe(filter, { qos, onSuccess, onFailure });
}), () => `subscribe ${filter}`);

async function gets(client, expected) {
  const until = Date.now() + PATIENCE_MS;
  while (client.got.length < expected.length && Date.now() < until) await new Promise((r) => setTimeout(r, 20));
  const [got, wanted] = [JSON.stringify(client.got), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`expected ${wanted}, got ${got}`);
}

async function refusesWrongPassword() {
  const said = await connect(`${name}-x`, { password: 'wrong' }).then(() => 'accepted', (error) => error.message);
  if (!/not authori|bad user name/i.test(said)) throw new Error(`a wrong password was ${said}`);
}

async function roundTrip() {
  const client = await connect(`${name}-rt`);
  await subscribe(client, TOPIC, 2);
  for (const qos of [0, 1, 2]) {
    client.send(message(TOPIC, `${PAYLOAD} ${qos}`, qos));
    await gets(client, [0, 1, 2].slice(0, qos + 1).map((q) => `${q}|false|${TOPIC}|${PAYLOAD} ${q}`));
  }
  client.disconnect();
}

async function retained() {
  const client = await connect(`${name}-rn`);
  const delivered = new Promise((resolve) => { client.onMessageDelivered = resolve; });
  client.send(message(`${TOPIC}/kept`, PAYLOAD, 1, true));
  await delivered;
  await subscribe(client, `${TOPIC}/kept`, 1);
  await gets(client, [`1|true|${TOPIC}/kept|${PAYLOAD}`]);
  client.disconnect();
}

// The mortal lives in a frame, and dies with it.
async function will() {
  const mourner = await connect(`${name}-m`);
  await subscribe(mourner, `${TOPIC}/will`, 1);
  const frame = document.createElement('iframe');
  const loaded = new Promise((resolve) => { frame.onload = resolve; });
  frame.src = 'browser_frame.html';
  document.body.append(frame);
  await within(loaded, () => 'the frame');
  const willMessage = new frame.contentWindow.Paho.Message(PAYLOAD);
  Object.assign(willMessage, { destinationName: `${TOPIC}/will`, qos: 1 });
  await connect(`${name}-w`, { willMessage }, frame.contentWindow.Paho);
  frame.remove();
  await gets(mourner, [`1|false|${TOPIC}/will|${PAYLOAD}`]);
  mourner.disconnect();
}

async function offlineQueue() {
  const first = await connect(`${name}-off`, { cleanSession: false });
  await subscribe(first, `${TOPIC}/off`, 1);
  first.disconnect();
  const sender = await connect(`${name}-s`);
  for (const n of [1, 2, 3]) {
    const delivered = new Promise((resolve) => { sender.onMessageDelivered = resolve; });
    sender.send(message(`${TOPIC}/off`, `${PAYLOAD} ${n}`, 1));
    await within(delivered, () => `PUBACK ${n}`);
  }
  sender.disconnect();
  const again = await connect(`${name}-off`, { cleanSession: false });
  await gets(again, [1, 2, 3].map((n) => `1|false|${TOPIC}/off|${PAYLOAD} ${n}`));
  again.disconnect();
}

window.outcome = (async () => {
  const done = [];
  for (const step of [refusesWrongPassword, roundTrip, retained, will, offlineQueue]) {
    try {
      await step();
    } catch (error) {
      return `${done.join('\n')}\nfailed ${step.name}: ${error.stack || error}`;
    }
    done.push(`ok ${step.name}`);
  }
  return done.join('\n');
})();
