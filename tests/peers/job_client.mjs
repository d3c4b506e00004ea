// A client of another maker (node-opcua) that drives job orders by ISA-95 Job Control.
// Started with {url, user?, password?, policy?, mode?}; takes one JSON a line:
//   {do: "call", method, order? | id?, comment?}   -> {status, code}
//   {do: "list"} -> [{id, states, ...}]   {do: "responses"}   {do: "response", id}
//   {do: "by_state", number}   {do: "lists"}   {do: "browse"}   {do: "events"}
import readline from "node:readline";
import {
  AttributeIds, ClientSubscription, DataType, MessageSecurityMode, OPCUAClient,
  SecurityPolicy, TimestampsToReturn, UserTokenType, Variant, VariantArrayType,
  coerceLocalizedText, constructEventFilter, resolveNodeId,
} from "node-opcua";

const NS = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/";
const OWN = "urn:mes-engine:job-control";
const given = JSON.parse(process.argv[2]);

const client = OPCUAClient.create({
  endpointMustExist: false,
  securityMode: MessageSecurityMode[given.mode ?? "None"],
  securityPolicy: SecurityPolicy[given.policy ?? "None"],
  connectionStrategy: { maxRetry: 0, initialDelay: 100 },
});
const late = setTimeout(() => process.exit(3), given.patienceMs ?? 30_000); // it tries for ever
await client.connect(given.url);
const who = given.user
  ? { type: UserTokenType.UserName, userName: given.user, password: given.password }
  : undefined;
const session = await client.createSession(who);
const namespaces = await session.readNamespaceArray();
const ns = namespaces.indexOf(NS);
const own = namespaces.indexOf(given.own ?? OWN);
const control = `ns=${own};s=JobOrderControl`;
const results = `ns=${own};s=JobOrderResults`;

const plain = (value) => JSON.parse(JSON.stringify(value));

async function structure(number, fields) {
  return session.constructExtensionObject(resolveNodeId(`ns=${ns};i=${number}`), fields);
}

async function order(o) {
  const fields = { jobOrderID: o.id };
  if (o.master) fields.workMasterID = [await structure(3007, { ID: o.master })];
  if (o.quantity) {
    fields.materialRequirements = [
      await structure(3010, { materialUse: "Material Produced", quantity: o.quantity }),
    ];
  }
  if (o.parameter) {
    fields.jobOrderParameters = [
      await structure(3003, {
        ID: "Quantity", value: new Variant({ dataType: DataType.Double, value: o.parameter }),
      }),
    ];
  }
  if (o.due) fields.endTime = new Date(o.due);
  if (o.priority !== undefined) fields.priority = o.priority;
  return structure(3008, fields);
}

async function call(object, method, inputArguments) {
  const result = await session.call({
    objectId: object, methodId: `${object}.${method}`, inputArguments,
  });
  return result;
}

async function read(nodeId) {
  const found = await session.read({ nodeId, attributeId: AttributeIds.Value });
  return found.value.value ?? [];
}

const heard = [];

const doings = {
  async call({ method, order: o, id, comment }) {
    const first = o
      ? new Variant({ dataType: DataType.ExtensionObject, value: await order(o) })
      : new Variant({ dataType: DataType.String, value: id });
    const told = new Variant({
      dataType: DataType.LocalizedText, arrayType: VariantArrayType.Array,
      value: comment ? [coerceLocalizedText(comment)] : [],
    });
    const result = await call(control, method, [first, told]);
    const out = result.outputArguments?.[0]?.value;
    return {
      code: result.statusCode.name,
      status: out === undefined || out === null ? null : out[0] * 2 ** 32 + out[1],
    };
  },
  async list() {
    return (await read(`${control}.JobOrderList`)).map((one) => ({
      id: one.jobOrder.jobOrderID,
      master: one.jobOrder.workMasterID?.[0]?.ID,
      priority: one.jobOrder.priority,
      quantity: one.jobOrder.materialRequirements?.[0]?.quantity,
      unit: one.jobOrder.materialRequirements?.[0]?.engineeringUnits?.unitId,
      states: one.state.map((s) => s.stateText.text),
      numbers: one.state.map((s) => s.stateNumber),
      paths: one.state.map((s) => (s.browsePath.elements ?? []).map((e) => e.targetName.name)),
    }));
  },
  async responses() {
    return plain(await read(`${results}.JobOrderResponseList`));
  },
  async response({ id }) {
    const result = await call(results, "RequestJobResponseByJobOrderID", [
      new Variant({ dataType: DataType.String, value: id }),
    ]);
    const [response, status] = result.outputArguments;
    return { code: result.statusCode.name, response: plain(response.value), status: status.value[1] };
  },
  async by_state({ number }) {
    const state = await structure(3006, {
      browsePath: { elements: [] }, stateText: coerceLocalizedText(""), stateNumber: number,
    });
    const result = await call(results, "RequestJobResponseByJobOrderState", [
      new Variant({
        dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value: [state],
      }),
    ]);
    const [responses, status] = result.outputArguments;
    return { ids: (responses.value ?? []).map((r) => r.jobOrderID), status: status.value[1] };
  },
  async lists() {
    const found = {};
    for (const name of ["WorkMaster", "EquipmentID", "MaterialDefinitionID", "PersonnelID",
      "PhysicalAssetID", "MaterialClassID", "MaxDownloadableJobOrders"]) {
      found[name] = plain(await read(`${control}.${name}`));
    }
    return found;
  },
  async events() {
    const subscription = await session.createSubscription2({
      requestedPublishingInterval: 100, requestedLifetimeCount: 1000,
      requestedMaxKeepAliveCount: 10, publishingEnabled: true,
    });
    const fields = ["EventId", "EventType", "Message", "Severity", `${ns}:JobState`, `${ns}:JobOrder`, `${ns}:JobResponse`];
    const item = await subscription.monitor(
      { nodeId: results, attributeId: AttributeIds.EventNotifier },
      { samplingInterval: 0, discardOldest: true, queueSize: 1000, filter: constructEventFilter(fields) },
      TimestampsToReturn.Both,
    );
    item.on("changed", async (values) => {
      heard.push({
        event: values[0].value?.toString(),
        type: values[1].value?.toString(),
        states: (values[4].value ?? []).map((s) => s.stateText.text),
        id: values[5].value?.jobOrderID,
        response: values[6].value?.jobResponseID,
      });
    });
    return fields;
  },
  async heard() { return heard; },
  async namespace() { return ns; },
};

clearTimeout(late);
console.log(JSON.stringify({ ready: true }));
for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    console.log(JSON.stringify({ told: await doings[asked.do](asked) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error), stack: error?.stack }));
  }
}
await session.close();
await client.disconnect();
process.exit(0);
