-- Sends the body in BODY with an id, a project and a name drawn at random for each request, or with the next id; prints what came of it.
wrk.method = "POST"
wrk.headers["Content-Type"], wrk.headers["Accept"] = "application/json", "application/json"
math.randomseed(os.getenv("SEED"))
local body, pipelines, projects = os.getenv("BODY"), os.getenv("PIPELINES"), os.getenv("PROJECTS")

local function id()
  return ("00000000-0000-0000-0000-%012x"):format(math.random(1, pipelines))
end

local following = tonumber(os.getenv("FIRST"))

local function next_id()
  following = following + 1
  return ("00000000-0000-0000-0000-%012x"):format(following - 1)
end

local function project()
  return "project-" .. math.random(0, projects - 1)
end

local function name()
  return ("name %08d"):format(math.random(0, 99999999))
end

function request()
  return wrk.format(nil, nil, nil, (body:gsub("@ID@", id):gsub("@NEXT@", next_id):gsub("@PROJECT@", project):gsub("@NAME@", name)))
end

function done(summary, latency, _)
  local failed = summary.errors
  print(("RESULT %d %d %d %f %f %d"):format(summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99),
    failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
