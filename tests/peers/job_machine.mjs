// A machine of another maker (node-opcua) that runs job orders by ISA-95 Job Control V2,
// on the NodeSet that node-opcua brings. Started with {port?, hasList?}; it is told what to
// do over HTTP on loopback, and keeps count of what it was asked.
import http from "node:http";
import opcua from "node-opcua";

const { DataType, OPCUAServer, StatusCodes, Variant, VariantArrayType, nodesets } = opcua;
const given = JSON.parse(process.argv[2] ?? "{}");
const URI = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/";
const NAMES = ["", "NotAllowedToStart", "AllowedToStart", "Running", "Interrupted", "Ended", "Aborted"];
const METHODS = ["Store", "StoreAndStart", "Update", "Start", "RevokeStart", "Pause", "Resume", "Stop", "Abort", "Cancel", "Clear"];
const OK = 1, UNKNOWN = 2, WRONG_STATE = 8, UNABLE = 16;
const jobs = new Map(); // id -> {order, state, good, scrap}
const asked = []; // every call: {method, id, status}
const refusals = new Map(); // method -> status, until told otherwise
let executed = []; // ids, each time a job order began to run

const server = new OPCUAServer({
  port: given.port ?? 0, host: "127.0.0.1", hostname: "127.0.0.1", resourcePath: "/machine",
  securityPolicies: [opcua.SecurityPolicy.None], securityModes: [opcua.MessageSecurityMode.None],
  serverInfo: { applicationUri: "urn:peer:machine" }, isAuditing: false,
  nodeset_filename: [nodesets.standard, nodesets.isa95JobControl],
});
await server.initialize();
const space = server.engine.addressSpace;
const ns = space.getNamespaceIndex(URI);
const own = space.getOwnNamespace();
const type = (name) => space.findDataType(name, ns);
const make = (name, fields) => space.constructExtensionObject(type(name), fields);

const hall = own.addObject({ browseName: "Hall", organizedBy: space.rootFolder.objects });
const receiver = space.findObjectType("ISA95JobOrderReceiverObjectType", ns).instantiate({
  browseName: "Control", componentOf: hall, optionals: METHODS,
});
const provider = space.findObjectType("ISA95JobResponseProviderObjectType", ns).instantiate({
  browseName: "Results", componentOf: hall,
  optionals: given.hasList === false ? [] : ["JobOrderResponseList"],
});

const state = (number) => make("ISA95StateDataType", {
  browsePath: { elements: [] }, stateText: { text: NAMES[number] }, stateNumber: number,
});
const response = (id, job) => make("ISA95JobResponseDataType", {
  jobResponseID: `R-${id}`, jobOrderID: id, jobState: [state(job.state)],
  materialActuals: [make("ISA95MaterialDataType", {
    materialUse: "Material Produced", quantity: String(job.good),
  })],
  jobResponseData: [make("ISA95ParameterDataType", {
    ID: "Scrap", value: new Variant({ dataType: DataType.Int32, value: job.scrap }),
  })],
});
const list = (value) => new Variant({
  dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value,
});

function show() {
  const entries = [...jobs.values()].map((job) => make("ISA95JobOrderAndStateDataType", {
    jobOrder: job.order, state: [state(job.state)],
  }));
  receiver.getComponentByName("JobOrderList", ns).setValueFromSource(list(entries));
  const begun = [...jobs].filter(([, job]) => job.state > 2);
  provider.getComponentByName("JobOrderResponseList", ns)?.setValueFromSource(
    list(begun.map(([id, job]) => response(id, job))),
  );
}

function move(job, id, to) {
  if (to === 3 && job.state === 2) executed.push(id);
  job.state = to;
}

const u64 = (status) => new Variant({ dataType: DataType.UInt64, arrayType: VariantArrayType.Scalar, value: [0, status] });

const LEGAL = {
  Start: [[1], 2], RevokeStart: [[2], 1], Pause: [[3], 4], Resume: [[4], 3],
  Stop: [[3, 4], 5], Abort: [[1, 2, 3, 4], 6],
};

function carryOut(method, input) {
  if (refusals.has(method)) return refusals.get(method);
  if (method === "Store" || method === "StoreAndStart") {
    const id = input.jobOrderID;
    if (jobs.has(id)) return UNABLE;
    jobs.set(id, { order: input, state: method === "Store" ? 1 : 2, good: 0, scrap: 0 });
    return OK;
  }
  const id = method === "Update" ? input.jobOrderID : input;
  const job = jobs.get(id);
  if (!job) return UNKNOWN;
  if (method === "Update") {
    if (job.state > 2) return WRONG_STATE;
    job.order = input;
  } else if (method === "Cancel") {
    if (job.state > 2) return WRONG_STATE;
    jobs.delete(id);
  } else if (method === "Clear") {
    if (job.state < 5) return WRONG_STATE;
    jobs.delete(id);
  } else {
    const [from, to] = LEGAL[method];
    if (!from.includes(job.state)) return WRONG_STATE;
    move(job, id, to);
  }
  return OK;
}

for (const method of METHODS) {
  receiver.getMethodByName(method, ns).bindMethod((inputs, _context, done) => {
    const input = inputs[0].value;
    const status = carryOut(method, input);
    asked.push({ method, id: input?.jobOrderID ?? input, status });
    show();
    done(null, {
      statusCode: StatusCodes.Good,
      outputArguments: [u64(status)],
    });
  });
}
provider.getMethodByName("RequestJobResponseByJobOrderID", ns).bindMethod((inputs, _c, done) => {
  const job = jobs.get(inputs[0].value);
  done(null, {
    statusCode: StatusCodes.Good,
    outputArguments: [
      { dataType: DataType.ExtensionObject, value: job ? response(inputs[0].value, job) : null },
      u64(job ? OK : UNKNOWN),
    ],
  });
});

const doings = {
  move: ({ id, to }) => { move(jobs.get(id), id, to); show(); },
  make: ({ id, good = 0, scrap = 0 }) => {
    const job = jobs.get(id);
    job.good += good;
    job.scrap += scrap;
    show();
  },
  end: ({ id, good = 0 }) => {
    const job = jobs.get(id);
    job.good += good;
    move(job, id, 5);
    show();
  },
  forget: ({ id }) => { jobs.delete(id); show(); },
  refuse: ({ method, status }) => {
    if (status) refusals.set(method, status);
    else refusals.delete(method);
  },
  truth: () => ({
    asked, executed,
    jobs: Object.fromEntries([...jobs].map(([id, job]) => [id, {
      state: job.state, good: job.good,
      master: job.order.workMasterID?.[0]?.ID,
      quantity: job.order.materialRequirements?.[0]?.quantity,
      priority: job.order.priority,
      equipment: (job.order.equipmentRequirements ?? []).map((e) => e.ID),
    }])),
  }),
};

show();
await server.start();
const control = http.createServer((request, answer) => {
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => {
    try {
      const what = JSON.parse(body);
      answer.end(JSON.stringify({ told: doings[what.do](what) ?? null }));
    } catch (error) {
      answer.statusCode = 500;
      answer.end(JSON.stringify({ error: String(error.stack) }));
    }
  });
});
control.listen(0, "127.0.0.1", () => {
  const port = server.endpoints[0].port;
  console.log(JSON.stringify({ port, control: control.address().port }));
});
process.stdin.on("end", () => process.exit(0)).resume();
