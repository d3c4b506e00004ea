// An MQTT broker on Aedes (JavaScript), as a program, which can lose messages.
//
// Run it: node tests/peers/mqtt_broker.mjs --port 0 [--user mes:secret] [--key K --cert C]
import fs from "node:fs";
import net from "node:net";
import readline from "node:readline";
import tls from "node:tls";
import { Aedes } from "aedes";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const user = option("user", null);
const losses = []; // {topic: part of it, times}
const seen = [];
let logins = 0;

const broker = await Aedes.createBroker({
  authenticate: (client, name, password, done) => {
    logins += 1;
    const is_known = user === null || `${name}:${password}` === user;
    done(is_known ? null : Object.assign(new Error("no"), { returnCode: 4 }), is_known);
  },
  authorizeForward: (client, packet) => {
    const loss = losses.find((one) => packet.topic.includes(one.topic) && one.times > 0);
    if (loss === undefined) return packet;
    loss.times -= 1;
    return null;
  },
});
broker.on("publish", (packet) => {
  if (packet.topic.startsWith("spBv1.0"))
    seen.push([packet.topic, packet.payload.toString("latin1").slice(0, 200)]);
});
broker.on("clientError", () => {});
broker.on("connectionError", () => {});

const command = (given) => {
  switch (given.do) {
    case "lose":
      losses.push({ topic: given.topic, times: given.times });
      return null;
    case "left":
      return losses.reduce((sum, one) => sum + one.times, 0);
    case "until_seen": // as soon as a message of the topic has the text
      return new Promise((done) => {
        const look = () => {
          if (seen.some(([topic, text]) => topic.includes(given.topic) && text.includes(given.text)))
            done(true);
        };
        broker.on("publish", () => setImmediate(look));
        setTimeout(() => done(false), 20000);
        look();
      });
    case "seen":
      return seen.filter(([topic]) => topic === given.topic).map(([, text]) => text);
    case "say": // as somebody else does
      return new Promise((done) => broker.publish(
        { cmd: "publish", topic: given.topic, payload: given.text, qos: 1, retain: true }, () => done(null)));
    case "until_left": // and its will is published, if it has one
      return new Promise((done) => {
        const look = () => (given.client in broker.clients ? setTimeout(look, 5) : setImmediate(done, true));
        look();
      });
    case "logins":
      return logins;
    case "throw": // out, as when another one takes its name
      broker.clients[given.client]?.conn.destroy();
      return null;
  }
};

const settings = option("key")
  ? { key: fs.readFileSync(option("key")), cert: fs.readFileSync(option("cert")) }
  : null;
const server = settings ? tls.createServer(settings, broker.handle) : net.createServer(broker.handle);
server.listen(Number(option("port", "0")), "127.0.0.1", () => {
  console.log(JSON.stringify({ port: server.address().port }));
});
const lines = readline.createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  console.log(JSON.stringify((await command(JSON.parse(line))) ?? null));
});
lines.on("close", () => process.exit(0));
