// One worker, as somebody would write it with the Node client: says each task that it has done on a line of its own.
// node worker.js URL WORKER TOPIC complete|fail|error|die
import { BasicAuthInterceptor, Client, Variables } from "camunda-external-task-client-js";

const [baseUrl, workerId, topic, how] = process.argv.slice(2);
const interceptors = new BasicAuthInterceptor({ username: "worker", password: "worker" });
// The next one waits until the lock of who dies is over; nobody else is to be too slow for it.
const lockDuration = how === "die" ? 3_000 : 60_000;
const client = new Client({ baseUrl, workerId, interceptors, maxTasks: 3, lockDuration, asyncResponseTimeout: 5000, interval: 50 });

const work = {
  complete: async (task, taskService) => {
    const variables = new Variables();
    variables.set("by", workerId).set("n", task.variables.get("n") + 1).set("list", [1, "二"]).set("when", new Date("2026-03-01T00:00:00Z"));
    await taskService.complete(task, variables, new Variables().set("local", 1));
  },
  fail: (task, taskService) =>
    taskService.handleFailure(task, {
      errorMessage: "no paper",
      errorDetails: "tray 2",
      retries: task.retries === null ? 1 : task.retries - 1,
      retryTimeout: 100,
    }),
  error: (task, taskService) => taskService.handleBpmnError(task, "REFUSED", "not today", new Variables().set("why", "closed")),
  die: async (task) => {
    console.log(task.id);
    process.exit(1);
  },
};

client.subscribe(topic, async ({ task, taskService }) => {
  await work[how](task, taskService);
  console.log(task.id);
});
