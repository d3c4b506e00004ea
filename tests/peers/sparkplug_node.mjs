// An edge node with one device, on sparkplug-client (Eclipse Tahu), as a program.
//
// Run it: node tests/peers/sparkplug_node.mjs --port 1883 [--compress] [--aliases]
import readline from "node:readline";
import sparkplug from "sparkplug-client";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const has = (name) => process.argv.includes(`--${name}`);
const packing = { compress: has("compress") };
const DEVICE = "press";
const start = Number(option("start", "0"));
const metrics = [
  { name: "Good/Count", type: "UInt32", value: start },
  { name: "Scrap/Count", type: "UInt16", value: 0 },
  { name: "State", type: "Int32", value: 6 },
  { name: "Offset", type: "Int16", value: -5 },
  { name: "Temperature", type: "Double", value: 21.5 },
  { name: "Order", type: "String", value: "" },
  { name: "Ready", type: "Boolean", value: true },
];
if (has("aliases")) metrics.forEach((one, n) => Object.assign(one, { alias: n + 10 }));
let births = 0;
let is_deaf = false;
let is_up = false;
const counters = [];
const commanded = [];

const node = sparkplug.newClient({
  serverUrl: `mqtt://127.0.0.1:${option("port")}`,
  username: "press",
  password: "press",
  groupId: "line",
  edgeNode: "cell",
  clientId: "edge-cell",
  version: "spBv1.0",
  keepalive: 2,
  mqttOptions: { reconnectPeriod: 200 },
});
const stamped = (one) => ({ ...one, timestamp: Date.now() });
const birth = () => {
  births += 1;
  node.publishNodeBirth(
    {
      timestamp: Date.now(),
      metrics: [
        { name: "Node Control/Rebirth", type: "Boolean", value: false },
        { name: "Uptime", type: "UInt64", value: 12 },
      ],
    },
    packing,
  );
  node.publishDeviceBirth(DEVICE, { timestamp: Date.now(), metrics: metrics.map(stamped) }, packing);
};
node.on("birth", () => {
  birth();
  if (!is_up) console.log(JSON.stringify({}));
  is_up = true;
});
node.on("ncmd", (payload) => {
  if (payload.metrics.some((one) => one.name === "Node Control/Rebirth" && one.value)) birth();
});
const by_name = (name) => metrics.find((one) => one.name === name);
const tell = (one, more = {}) =>
  node.publishDeviceData(
    DEVICE,
    { timestamp: Date.now(), metrics: [{ ...stamped(one), ...more }] },
    packing,
  );
node.on("dcmd", (device, payload) => {
  for (const told of payload.metrics) {
    const one = metrics.find((it) => it.name === told.name || it.alias === Number(told.alias));
    commanded.push([one.name, Number(told.value) === told.value ? told.value : String(told.value)]);
    if (is_deaf) continue;
    one.value = told.value;
    tell(one);
  }
});
node.on("error", () => {});

const command = (given) => {
  switch (given.do) {
    case "set":
      by_name(given.name).value = given.value;
      tell(by_name(given.name));
      return null;
    case "bad":
      tell(by_name(given.name), {
        value: 0,
        properties: { Quality: { type: "Int32", value: 0 } },
      });
      return null;
    case "history":
      for (const [value, timestamp] of given.values)
        tell(by_name(given.name), { value, timestamp, isHistorical: true });
      return null;
    case "count": {
      const one = by_name(given.name);
      counters.push(
        setInterval(() => {
          one.value += 1;
          tell(one);
        }, given.every_s * 1000),
      );
      return null;
    }
    case "halt":
      counters.forEach(clearInterval);
      return Object.fromEntries(metrics.map((one) => [one.name, one.value]));
    case "lose_device":
      node.publishDeviceDeath(DEVICE, { timestamp: Date.now() });
      return null;
    case "bear_device":
      node.publishDeviceBirth(DEVICE, { timestamp: Date.now(), metrics: metrics.map(stamped) }, packing);
      return null;
    case "deaf":
      is_deaf = given.is_deaf;
      return null;
    case "commanded":
      return commanded;
    case "births":
      return births;
    case "raw":
      node.client.publish(given.topic, Buffer.from(given.base64, "base64"));
      return null;
    case "unknown_metric":
      node.publishDeviceData(DEVICE, {
        timestamp: Date.now(),
        metrics: [{ alias: 999, type: "UInt32", value: 7 }],
      });
      return null;
  }
};
const lines = readline.createInterface({ input: process.stdin });
lines.on("line", (line) => console.log(JSON.stringify(command(JSON.parse(line)) ?? null)));
lines.on("close", () => process.exit(0));
