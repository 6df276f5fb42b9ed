// Opens browser_page.html in headless Chromium and prints its outcome: node browser.js URL 3|4 USER PASSWORD KEY_HASH NAME.
// KEY_HASH: base64 of the SHA-256 of the server certificate's public key, which is then trusted whoever signed it. The
// browser is driven over its debugging pipe: JSON messages, each ended by a zero byte, on file descriptors 3 and 4.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pathToFileURL } = require('url');

const [url, version, user, password, keyHash, name] = process.argv.slice(2);
const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'wakemq-chromium-'));
const browser = spawn('chromium', [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--mute-audio',
  '--allow-file-access-from-files', `--user-data-dir=${profile}`, `--ignore-certificate-errors-spki-list=${keyHash}`,
  '--remote-debugging-pipe', 'about:blank',
], { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
const [toBrowser, fromBrowser] = [browser.stdio[3], browser.stdio[4]];

let words = '';
browser.stderr.on('data', (data) => { words = (words + data).slice(-4000); });

const answers = new Map();
let unread = '';
fromBrowser.setEncoding('utf8').on('data', (data) => {
  const messages = (unread + data).split('\0');
  unread = messages.pop();
  for (const one of messages.map((text) => JSON.parse(text))) {
    if (answers.has(one.id)) answers.get(one.id)(one);
  }
});

let lastId = 0;
function ask(method, params, sessionId) {
  const id = ++lastId;
  toBrowser.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  return new Promise((resolve, reject) => answers.set(id, (answer) => {
    answers.delete(id);
    if (answer.error) reject(new Error(`${method}: ${answer.error.message}`));
    else resolve(answer.result);
  }));
}

async function main() {
  const page = pathToFileURL(path.join(__dirname, 'browser_page.html'));
  page.search = new URLSearchParams({ url, version, user, password, name }).toString();
  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true });
  await ask('Page.navigate', { url: page.href }, sessionId);
  const expression = 'new Promise((resolve) => { const look = () => (window.outcome ? resolve(window.outcome) : ' +
    'setTimeout(look, 20)); look(); })';
  for (let tries = 0; tries < 5; ++tries) {  // an answer is lost when the page replaces the one before it
    const { result } = await ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId)
      .catch((error) => ({ result: { error } }));
    if (result.value) return result.value;
    if (tries === 4) throw result.error || new Error(JSON.stringify(result));
  }
  return '';
}

function end(status, text) {
  console.log(text);
  browser.removeAllListeners('exit');
  browser.on('exit', () => { fs.rmSync(profile, { recursive: true, force: true }); process.exit(status); });
  browser.kill('SIGKILL');
}

browser.on('exit', (code) => { console.error(`chromium ended with ${code}:\n${words}`); process.exit(1); });
browser.on('error', (error) => { console.error(`chromium: ${error.message}`); process.exit(1); });
main().then((outcome) => end(outcome.includes('failed') ? 1 : 0, outcome),
  (error) => end(1, `${error.stack}\n${words}`));
