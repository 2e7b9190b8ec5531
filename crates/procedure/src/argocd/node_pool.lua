-- A pool is healthy once its workers are ready and at the version and configuration that it asks for.
local health = {status = "Progressing", message = "waits for the operator"}
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "is being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
local wrong = {ValidReleaseImage = true, ValidMachineConfig = true, ValidPlatformImage = true, ValidMachineTemplate = true, ValidArchPlatform = true}
local updating = nil
for _, condition in ipairs(obj.status.conditions) do
  if wrong[condition.type] and condition.status == "False" then
    return {status = "Degraded", message = condition.type .. ": " .. (condition.message or condition.reason or "")}
  end
  if condition.type == "ReconciliationActive" and condition.status == "False" then
    return {status = "Suspended", message = condition.message or "paused"}
  end
  if (condition.type == "UpdatingVersion" or condition.type == "UpdatingConfig") and condition.status == "True" then
    updating = condition.message or condition.type
  end
  if condition.type == "Ready" then
    if condition.status == "True" then
      health.status = "Healthy"
    end
    health.message = condition.message or condition.reason or ""
  end
end
if updating ~= nil then
  return {status = "Progressing", message = updating}
end
return health
