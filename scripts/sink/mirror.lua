-- Sends a copy of each request to the address in DARKLAUNCH, from a task of its own: the request waits for nothing.
-- What HAProxy's client cannot send (PATCH and other methods) or could not hold whole is not mirrored, and only logged.
local sink = os.getenv("DARKLAUNCH")
local sends = { GET = "get", HEAD = "head", POST = "post", PUT = "put", DELETE = "delete" }
-- Said anew by the client for its own hop.
local own = { ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true }

core.register_action("mirror", { "http-req" }, function(txn)
    local send = sends[txn.f:method()]
    local body = txn.f:req_body()
    local length = tonumber(txn.f:req_body_size()) or 0
    if not send or length > #body then
        core.Info("not mirrored: " .. txn.f:method() .. ", " .. length .. " bytes")
        return
    end
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not own[name] then
            headers[name] = {}
            for _, value in pairs(values) do
                table.insert(headers[name], value)
            end
        end
    end
    local request = { url = sink .. txn.f:pathq(), headers = headers, timeout = 5000 }
    if #body > 0 then
        request.body = body
    end
    core.register_task(function()
        local client = core.httpclient()
        client[send](client, request)
    end)
end)
